{{ config(unique_key=['uniq_mh_act_episode_id', 'uniq_month_id']) }}

select
    rows.record_token,
    rows.org_id_prov,
    rows.uniq_mh_act_episode_id,
    rows.uniq_month_id,
    rows.start_date,
    rows.expiry_date,
    rows.end_date,
    rows.legal_status_code,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs401_mental_health_act_period') }} as rows
