{{ config(unique_key=['lcp_code', 'practice_code', 'valid_from']) }}

select
    rows.lcp_code,
    rows.lcp_name,
    rows.practice_code,
    rows.valid_from,
    rows.valid_to,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'local_care_partnership') }} as rows
