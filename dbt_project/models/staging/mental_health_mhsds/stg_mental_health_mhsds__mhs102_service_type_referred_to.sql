{{ config(unique_key=['uniq_serv_req_id', 'uniq_care_prof_team_id', 'uniq_month_id']) }}

select
    rows.org_id_prov,
    rows.uniq_serv_req_id,
    rows.uniq_care_prof_team_id,
    rows.uniq_month_id,
    rows.team_type,
    rows.referral_closure_date,
    rows.referral_closure_reason,
    rows.referral_rejection_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs102_service_type_referred_to') }} as rows
