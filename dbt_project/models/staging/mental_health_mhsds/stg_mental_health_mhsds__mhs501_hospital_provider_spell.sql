{{ config(unique_key=['uniq_hosp_prov_spell_id', 'uniq_month_id']) }}

select
    rows.org_id_prov,
    rows.uniq_hosp_prov_spell_id,
    rows.uniq_serv_req_id,
    rows.uniq_month_id,
    rows.start_date,
    rows.source_of_admission,
    rows.admission_method,
    rows.discharge_date,
    rows.discharge_method,
    rows.discharge_destination,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('mental_health_mhsds', 'mhs501_hospital_provider_spell') }} as rows
