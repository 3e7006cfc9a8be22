with sighting as (
    select
        record_token,
        postcode_token,
        postcode_state,
        coalesce(cds_activity_date, episode_start_date) as seen_on
    from {{ ref('stg_acute_sus__apc') }}
    where record_token is not null and not is_deleted

    union all

    select
        record_token,
        postcode_token,
        postcode_state,
        appointment_date as seen_on
    from {{ ref('stg_acute_sus__op') }}
    where record_token is not null and not is_deleted

    union all

    select
        record_token,
        postcode_token,
        postcode_state,
        cast(arrived_at as date) as seen_on
    from {{ ref('stg_acute_sus__ecds_emergency_care') }}
    where record_token is not null and not is_deleted
),

stay as (
    select
        record_token,
        postcode_token,
        postcode_state,
        min(seen_on) as first_seen_on,
        max(seen_on) as last_seen_on
    from sighting
    where postcode_state <> 'missing'
    group by record_token, postcode_token, postcode_state
)

select
    record_token,
    'acute_sus' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case when postcode_state = 'no_fixed_abode' then 'no_fixed_abode' end as residence_type,
    first_seen_on as valid_from,
    case when last_seen_on < max(last_seen_on) over (partition by record_token) then last_seen_on end as valid_to,
    false as is_deleted
from stay
