{{ config(alias='agg_activity') }}

-- A month that has just ended is not counted yet: most of its activity has still to be sent.
with settled as (
    select month_end
    from {{ ref('segment_month') }}
    where month_end < (select max(month_end) from {{ ref('segment_month') }})
),

contact as (
    select
        activity.month_end,
        {{ area_parts(['place'], 'person') }},
        activity.setting,
        activity.n_contacts
    from {{ ref('secondary_use__person_activity_month') }} as activity
    inner join settled
        on activity.month_end = settled.month_end
    inner join {{ ref('open_person') }} as person
        on activity.person_id = person.person_id
    where activity.n_contacts > 0
)

select
    month_end,
    {{ area_columns(['place']) }},
    setting,
    cast(count(*) as integer) as n_people,
    cast(null as boolean) as is_n_people_hidden,
    cast(sum(n_contacts) as integer) as n_contacts,
    cast(null as boolean) as is_n_contacts_hidden,
    cast(null as double) as contacts_per_person,
    cast(null as boolean) as is_contacts_per_person_hidden
from contact
group by
    month_end,
    setting,
    {{ area_rollup(['place']) }}
