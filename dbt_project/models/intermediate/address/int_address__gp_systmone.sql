select
    record_token,
    'gp_systmone' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case
        when postcode_state = 'no_fixed_abode' then 'no_fixed_abode'
        when lower(address_type) = 'home' then 'home'
        when lower(address_type) = 'care home' then 'institution'
        when lower(address_type) like 'temporary%' then 'temporary'
    end as residence_type,
    date_event as valid_from,
    date_to as valid_to,
    is_deleted
from {{ ref('stg_gp_systmone__sr_patient_address_history') }}
where address_type is null or lower(address_type) not like 'correspondence%'
