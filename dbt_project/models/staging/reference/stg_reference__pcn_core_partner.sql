{{ config(unique_key=['practice_code', 'pcn_code', 'start_date']) }}

select
    rows.practice_code,
    rows.practice_name,
    rows.practice_sub_icb_code,
    rows.practice_sub_icb_name,
    rows.pcn_code,
    rows.pcn_name,
    rows.pcn_sub_icb_code,
    rows.pcn_sub_icb_name,
    rows.start_date,
    rows.end_date,
    rows.is_same_sub_icb,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'pcn_core_partner') }} as rows
