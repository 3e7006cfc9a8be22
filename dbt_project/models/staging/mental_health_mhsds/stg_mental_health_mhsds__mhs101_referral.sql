{{ config(unique_key=['uniq_serv_req_id', 'uniq_month_id']) }}

select
    rows.record_token,
    rows.org_id_prov,
    rows.uniq_serv_req_id,
    rows.uniq_month_id,
    rows.org_id_comm,
    rows.referral_request_received_date,
    rows.source_of_referral,
    rows.priority_type,
    rows.primary_reason_for_referral,
    rows.service_discharge_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs101_referral') }} as rows
