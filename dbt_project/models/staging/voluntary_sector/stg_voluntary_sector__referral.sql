{{ config(unique_key=['service_code', 'referral_ref']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.service_code,
    rows.referral_ref,
    rows.referral_date,
    rows.sex,
    rows.ethnic_category_code,
    rows.accommodation_status,
    rows.referrer_ods_code,
    rows.need_category,
    rows.outcome,
    rows.wellbeing_score,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('voluntary_sector', 'referral') }} as rows
