{{ config(unique_key=['id_organisation_visible_to', 'row_identifier']) }}

select
    rows.record_token,
    rows.postcode_token,
    rows.postcode_state,
    rows.row_identifier,
    rows.id_organisation_visible_to,
    rows.date_event_recorded,
    rows.date_event,
    rows.id_organisation_done_at,
    rows.date_to,
    rows.address_type,
    rows.id_event,
    rows.id_organisation,
    rows.ccg_of_residence,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_patient_address_history') }} as rows
