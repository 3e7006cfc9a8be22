{{ config(alias='agg_population') }}

with resident as (
    {{ open_residents({
        'sex': "coalesce(person.sex, 'not_known')",
        'age_band': age_band(age_in_years('person.birth_month', 'population.month_end')),
    }) }}
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
