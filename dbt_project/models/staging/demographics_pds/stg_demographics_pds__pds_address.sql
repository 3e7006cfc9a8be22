{{ config(unique_key=['record_token', 'effective_from']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.postcode_token,
    rows.postcode_state,
    rows.address_token,
    rows.cqc_care_home_code,
    rows.effective_from,
    rows.effective_to,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('demographics_pds', 'pds_address') }} as rows
