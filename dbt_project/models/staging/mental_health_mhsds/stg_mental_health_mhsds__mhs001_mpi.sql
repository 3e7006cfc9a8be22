{{ config(unique_key=['org_id_prov', 'record_token', 'uniq_month_id']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.org_id_prov,
    rows.org_id_local_patient_id,
    rows.uniq_month_id,
    rows.reporting_period_start_date,
    rows.nhs_number_status,
    rows.gender,
    rows.ethnic_category,
    rows.language_code,
    rows.death_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs001_mpi') }} as rows
