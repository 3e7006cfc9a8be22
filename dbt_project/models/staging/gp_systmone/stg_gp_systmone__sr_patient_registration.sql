{{ config(unique_key=['id_organisation_visible_to', 'row_identifier']) }}

select
    rows.record_token,
    rows.row_identifier,
    rows.id_organisation_visible_to,
    rows.date_event_recorded,
    rows.date_registration,
    rows.date_de_registration,
    rows.registration_status,
    rows.id_organisation,
    rows.id_organisation_registered_at,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_patient_registration') }} as rows
