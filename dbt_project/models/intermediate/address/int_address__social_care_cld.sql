-- The council gives the present address on every event, without its dates: the event reported last has the newest.
with event as (
    select
        record_token,
        postcode_token,
        postcode_state,
        lower(trim(accommodation_status)) as accommodation_status,
        bool_and(is_deleted) over (partition by record_token) as is_deleted,
        row_number() over (
            partition by record_token
            order by is_deleted, reporting_period_end_date desc, event_start_date desc, _row_hash
        ) as recency
    from {{ ref('stg_social_care_cld__client_level_data') }}
)

select
    event.record_token,
    'social_care_cld' as source,
    event.postcode_token,
    event.postcode_state,
    cast(null as uuid) as address_token,
    case
        when event.postcode_state = 'no_fixed_abode' then 'no_fixed_abode'
        else coalesce(accommodation.residence_type, 'home')
    end as residence_type,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to,
    event.is_deleted
from event
left join {{ ref('social_care_accommodation') }} as accommodation
    on event.accommodation_status = accommodation.accommodation_status
where event.recency = 1
