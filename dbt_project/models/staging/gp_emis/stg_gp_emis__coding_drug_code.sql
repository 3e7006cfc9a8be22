{{ config(unique_key=['code_id']) }}

select
    rows.code_id,
    rows.term,
    rows.dmd_product_code_id,
    rows.bnf_chapter_ref,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'coding_drug_code') }} as rows
