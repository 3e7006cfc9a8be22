{{ config(unique_key=['service_code', 'contact_ref']) }}

select
    rows.record_token,
    rows.service_code,
    rows.contact_ref,
    rows.referral_ref,
    rows.contact_date,
    rows.contact_type,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('voluntary_sector', 'contact') }} as rows
