{{ config(unique_key=['council_code', 'case_reference', 'placement_reference']) }}

select
    rows.record_token,
    rows.council_code,
    rows.quarter,
    rows.case_reference,
    rows.placement_reference,
    rows.accommodation_type,
    rows.placed_on,
    rows.left_on,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('housing', 'hclic_temporary_accommodation') }} as rows
