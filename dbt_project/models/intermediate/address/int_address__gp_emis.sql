select
    record_token,
    'gp_emis' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case
        when postcode_state = 'no_fixed_abode' then 'no_fixed_abode'
        when residential_institute_code is not null then 'institution'
        else 'home'
    end as residence_type,
    -- EMIS gives the present address without its dates
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    is_deleted
from {{ ref('stg_gp_emis__admin_patient') }}
