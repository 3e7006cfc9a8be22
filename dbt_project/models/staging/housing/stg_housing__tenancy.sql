{{ config(unique_key=['council_code', 'record_token']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.address_token,
    rows.council_code,
    rows.sex,
    rows.ethnic_category_code,
    rows.tenancy_start_date,
    rows.tenancy_end_date,
    rows.tenancy_type,
    rows.bedrooms,
    rows.rent_arrears_gbp,
    rows.has_disrepair,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('housing', 'tenancy') }} as rows
