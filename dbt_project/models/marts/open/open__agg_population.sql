{{ config(alias='agg_population') }}

with resident as (
    select
        population.month_end,
        {{ area_parts(['place'], 'population') }},
        coalesce(person.sex, 'not_known') as sex,
        {{ age_band(age_in_years('person.birth_month', 'population.month_end')) }} as age_band
    from {{ ref('open_population') }} as population
    inner join {{ ref('open_person') }} as person
        on population.person_id = person.person_id
    where population.month_end = (select max(month_end) from {{ ref('segment_month') }})
)

select
    month_end,
    {{ area_columns(['place']) }},
    coalesce(age_band, 'all') as age_band,
    coalesce(sex, 'all') as sex,
    cast(count(*) as integer) as n_people,
    cast(null as boolean) as is_n_people_hidden
from resident
group by
    month_end,
    {{ area_rollup(['place']) }},
    cube (age_band, sex)
