{{ config(unique_key=['uniq_serv_req_id', 'diagnosis_scheme', 'primary_diagnosis', 'uniq_month_id']) }}

select
    rows.org_id_prov,
    rows.uniq_serv_req_id,
    rows.diagnosis_scheme,
    rows.primary_diagnosis,
    rows.uniq_month_id,
    rows.coded_at,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs604_primary_diagnosis') }} as rows
