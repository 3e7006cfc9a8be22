{{ config(unique_key=['council_code', 'case_reference', 'record_token']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.council_code,
    rows.quarter,
    rows.case_reference,
    rows.is_main_applicant,
    rows.sex,
    rows.ethnic_category_code,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('housing', 'hclic_person') }} as rows
