{{ config(unique_key=['record_token', 'effective_from']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.sex,
    rows.date_of_death,
    rows.death_status,
    rows.confidentiality_code,
    rows.preferred_language,
    rows.is_interpreter_required,
    rows.effective_from,
    rows.effective_to,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('demographics_pds', 'pds_person') }} as rows
