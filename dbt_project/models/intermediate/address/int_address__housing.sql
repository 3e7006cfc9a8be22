-- A tenancy is an address with its dates. Of a homelessness case only "no fixed abode" says where a person is: its postcode is
-- that of the home they lost.
with applicant as (
    select
        person.record_token,
        person.postcode_state,
        homeless_case.application_date,
        person.is_deleted
    from {{ ref('stg_housing__hclic_person') }} as person
    inner join {{ ref('stg_housing__hclic_case') }} as homeless_case
        on person.council_code = homeless_case.council_code
        and person.case_reference = homeless_case.case_reference
        and not homeless_case.is_deleted
    where person.postcode_state = 'no_fixed_abode'
)

select
    record_token,
    'housing' as source,
    postcode_token,
    postcode_state,
    address_token,
    case when postcode_state = 'no_fixed_abode' then 'no_fixed_abode' else 'home' end as residence_type,
    tenancy_start_date as valid_from,
    tenancy_end_date as valid_to,
    is_deleted
from {{ ref('stg_housing__tenancy') }}

union all

select
    record_token,
    'housing' as source,
    cast(null as uuid) as postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    'no_fixed_abode' as residence_type,
    application_date as valid_from,
    cast(null as date) as valid_to,
    is_deleted
from applicant
