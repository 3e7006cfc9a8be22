{{ config(unique_key=['postcode_token']) }}

select
    rows.postcode_token,
    rows.postcode_state,
    rows.introduced_on,
    rows.terminated_on,
    rows.local_authority_code,
    rows.ward_code,
    rows.lsoa_2011_code,
    rows.lsoa_2021_code,
    rows.msoa_2021_code,
    rows.icb_code,
    rows.latitude,
    rows.longitude,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'onspd') }} as rows
