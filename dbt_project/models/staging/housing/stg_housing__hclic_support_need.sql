{{ config(unique_key=['council_code', 'case_reference', 'support_need']) }}

select
    rows.record_token,
    rows.council_code,
    rows.quarter,
    rows.case_reference,
    rows.support_need,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('housing', 'hclic_support_need') }} as rows
