{{ config(alias='agg_deprivation') }}

with resident as (
    select
        population.month_end,
        {{ area_parts(['place'], 'population') }},
        coalesce(cast((person.imd_decile + 1) // 2 as varchar), 'not_known') as imd_quintile
    from {{ ref('open_population') }} as population
    inner join {{ ref('open_person') }} as person
        on population.person_id = person.person_id
    where population.month_end = (select max(month_end) from {{ ref('segment_month') }})
)

select
    month_end,
    {{ area_columns(['place']) }},
    coalesce(imd_quintile, 'all') as imd_quintile,
    cast(count(*) as integer) as n_people,
    cast(null as boolean) as is_n_people_hidden
from resident
group by
    month_end,
    {{ area_rollup(['place']) }},
    cube (imd_quintile)
