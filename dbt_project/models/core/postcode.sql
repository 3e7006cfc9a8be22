select
    postcode_token,
    lsoa_2021_code as lsoa_code,
    local_authority_code as borough_code,
    ward_code,
    introduced_on,
    terminated_on,
    terminated_on is not null as is_terminated
from {{ ref('stg_reference__onspd') }}
where not is_deleted
    and postcode_token is not null
