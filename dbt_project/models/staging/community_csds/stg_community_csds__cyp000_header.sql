{{ config(unique_key=['organisation_identifier_code_of_provider', 'reporting_period_start_date']) }}

select
    rows.organisation_identifier_code_of_provider,
    rows.unique_submission_id,
    rows.data_set_version_number,
    rows.reporting_period_start_date,
    rows.reporting_period_end_date,
    rows.data_set_created_at,
    rows.primary_data_collection_system,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('community_csds', 'cyp000_header') }} as rows
