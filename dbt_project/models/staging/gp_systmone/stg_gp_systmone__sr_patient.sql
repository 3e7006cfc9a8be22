{{ config(unique_key=['id_organisation_visible_to', 'record_token']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.id_organisation_visible_to,
    rows.date_death,
    rows.gender,
    rows.speaks_english,
    rows.test_patient,
    rows.spine_matched,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_patient') }} as rows
