{{ config(unique_key=['record_token', 'effective_from']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.practice_code,
    rows.reason_for_removal_code,
    rows.effective_from,
    rows.effective_to,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('demographics_pds', 'pds_patient_care_practice') }} as rows
