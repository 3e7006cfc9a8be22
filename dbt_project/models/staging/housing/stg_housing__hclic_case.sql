{{ config(unique_key=['council_code', 'case_reference']) }}

select
    rows.record_token,
    rows.council_code,
    rows.quarter,
    rows.case_reference,
    rows.application_date,
    rows.duty_owed,
    rows.duty_start_date,
    rows.duty_end_date,
    rows.duty_end_reason,
    rows.reason_for_loss,
    rows.accommodation_at_application,
    rows.household_size,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('housing', 'hclic_case') }} as rows
