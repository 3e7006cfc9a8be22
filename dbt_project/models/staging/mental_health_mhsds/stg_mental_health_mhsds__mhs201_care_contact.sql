{{ config(unique_key=['uniq_care_cont_id']) }}

select
    rows.org_id_prov,
    rows.uniq_care_cont_id,
    rows.uniq_serv_req_id,
    rows.uniq_month_id,
    rows.uniq_care_prof_team_id,
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
from {{ current_rows('mental_health_mhsds', 'mhs201_care_contact') }} as rows
