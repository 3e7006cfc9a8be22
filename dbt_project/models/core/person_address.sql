with part as (
    {{ union_of([
        ref('int_address__demographics_pds'),
        ref('int_address__gp_emis'),
        ref('int_address__gp_systmone'),
        ref('int_address__acute_sus'),
        ref('int_address__community_csds'),
        ref('int_address__mental_health_mhsds'),
        ref('int_address__social_care_cld'),
        ref('int_address__housing'),
        ref('int_address__voluntary_sector'),
    ], ['record_token', 'source', 'postcode_token', 'postcode_state', 'residence_type', 'valid_from', 'valid_to']) }}
),

-- an address that cannot be placed says something only when it says that there is none
usable as (
    select
        record_token,
        source,
        postcode_token,
        postcode_state,
        residence_type,
        valid_from,
        valid_to
    from part
    where postcode_token is not null or postcode_state = 'no_fixed_abode'
),

history as (
    {{ person_history('usable', 'address', ['postcode_token', 'postcode_state', 'residence_type']) }}
)

select
    history.person_id,
    history.source,
    history.residence_type,
    history.postcode_state = 'no_fixed_abode' as is_no_fixed_abode,
    postcode.lsoa_code,
    history.valid_from,
    history.valid_to
from history
left join {{ ref('postcode') }} as postcode
    on history.postcode_token = postcode.postcode_token
