select
    record_token,
    'voluntary_sector' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case
        when postcode_state = 'no_fixed_abode' or accommodation_status = 'rough sleeping' then 'no_fixed_abode'
        when accommodation_status in ('hostel', 'sofa surfing', 'asylum accommodation') then 'temporary'
        when accommodation_status = 'settled' then 'home'
    end as residence_type,
    referral_date as valid_from,
    cast(null as date) as valid_to,
    is_deleted
from {{ ref('stg_voluntary_sector__referral') }}
