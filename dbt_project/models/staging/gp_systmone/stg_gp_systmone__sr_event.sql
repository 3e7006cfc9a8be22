{{ config(unique_key=['id_organisation_visible_to', 'row_identifier']) }}

select
    rows.record_token,
    rows.row_identifier,
    rows.id_organisation_visible_to,
    rows.date_event_recorded,
    rows.date_event,
    rows.id_organisation_done_at,
    rows.contact_event_location,
    rows.contact_method,
    rows.event_incomplete,
    rows.clinical_event,
    rows.id_referral_in,
    rows.id_organisation,
    rows.id_team,
    rows.id_branch,
    rows.id_organisation_registered_at,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_event') }} as rows
