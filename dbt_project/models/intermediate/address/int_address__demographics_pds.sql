select
    record_token,
    'demographics_pds' as source,
    postcode_token,
    postcode_state,
    address_token,
    case
        when postcode_state = 'no_fixed_abode' then 'no_fixed_abode'
        when cqc_care_home_code is not null then 'institution'
        else 'home'
    end as residence_type,
    effective_from as valid_from,
    effective_to as valid_to,
    is_deleted
from {{ ref('stg_demographics_pds__pds_address') }}
