{{ config(unique_key=['organisation_code', 'extract_date', 'sex', 'age']) }}

select
    rows.publication,
    rows.extract_date,
    rows.organisation_type,
    rows.sub_icb_code,
    rows.ons_sub_icb_code,
    rows.organisation_code,
    rows.sex,
    rows.age,
    rows.n_patients,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'gp_list_size') }} as rows
