select
    'referral|' || service_code || '|' || referral_ref as event_key,
    'voluntary_sector' as source,
    record_token,
    service_code as organisation_code,
    referral_date as referred_on,
    cast(null as date) as ended_on,
    outcome is null as is_open,
    lower(trim(need_category)) as need,
    lower(trim(accommodation_status)) as accommodation,
    _changed_seq,
    is_deleted
from {{ ref('stg_voluntary_sector__referral') }}
