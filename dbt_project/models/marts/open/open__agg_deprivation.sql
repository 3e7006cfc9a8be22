{{ config(alias='agg_deprivation') }}

with resident as (
    {{ open_residents({
        'imd_quintile': "coalesce(cast((person.imd_decile + 1) // 2 as varchar), 'not_known')",
    }) }}
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
