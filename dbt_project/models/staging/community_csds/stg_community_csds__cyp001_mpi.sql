{{ config(unique_key=['organisation_identifier_code_of_provider', 'record_token', 'unique_month_id']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.organisation_identifier_code_of_provider,
    rows.organisation_identifier_local_patient_identifier,
    rows.unique_month_id,
    rows.reporting_period_start_date,
    rows.nhs_number_status,
    rows.stated_gender,
    rows.ethnic_category,
    rows.language_code,
    rows.death_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('community_csds', 'cyp001_mpi') }} as rows
