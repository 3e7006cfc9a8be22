{{ config(unique_key=['code_id']) }}

select
    rows.code_id,
    rows.term,
    rows.read_term_id,
    rows.snomed_ct_concept_id,
    rows.snomed_ct_description_id,
    rows.national_code,
    rows.national_code_category,
    rows.national_description,
    rows.emis_code_category_description,
    rows.parent_code_id,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'coding_clinical_code') }} as rows
