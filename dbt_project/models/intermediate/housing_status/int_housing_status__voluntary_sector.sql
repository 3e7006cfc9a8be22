-- What a client said at referral; true on that day, nobody says for how long.
select
    'referral|' || service_code || '|' || referral_ref as event_key,
    'voluntary_sector' as source,
    record_token,
    service_code as organisation_code,
    'no_fixed_abode' as status,
    coalesce(lower(trim(accommodation_status)), 'no fixed abode') as reason,
    referral_date as started_on,
    referral_date as ended_on,
    true as is_homeless,
    _changed_seq,
    is_deleted
    or not (
        postcode_state is not distinct from 'no_fixed_abode'
        or coalesce(lower(trim(accommodation_status)) in ('rough sleeping', 'sofa surfing', 'hostel'), false)
    ) as is_deleted
from {{ ref('stg_voluntary_sector__referral') }}
