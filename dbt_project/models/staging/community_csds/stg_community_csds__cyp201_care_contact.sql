{{ config(unique_key=['unique_care_contact_identifier']) }}

select
    rows.organisation_identifier_code_of_provider,
    rows.unique_care_contact_identifier,
    rows.unique_service_request_identifier,
    rows.unique_month_id,
    rows.care_professional_team_local_identifier,
    rows.care_contact_date,
    rows.care_contact_time,
    rows.clinical_contact_minutes,
    rows.consultation_mechanism,
    rows.consultation_medium,
    rows.activity_location_type,
    rows.site_code,
    rows.attendance_status,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('community_csds', 'cyp201_care_contact') }} as rows
