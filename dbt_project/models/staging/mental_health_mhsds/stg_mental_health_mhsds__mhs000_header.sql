{{ config(unique_key=['org_id_provider', 'reporting_period_start_date']) }}

select
    rows.org_id_provider,
    rows.uniq_submission_id,
    rows.data_set_version,
    rows.reporting_period_start_date,
    rows.reporting_period_end_date,
    rows.data_set_created_at,
    rows.primary_system_in_use,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs000_header') }} as rows
