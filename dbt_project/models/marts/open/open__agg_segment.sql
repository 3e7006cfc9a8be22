{{ config(alias='agg_segment') }}

with resident as (
    select
        population.month_end,
        {{ area_parts(['place', 'pcn'], 'population') }},
        segment.segment_code
    from {{ ref('open_population') }} as population
    inner join {{ ref('secondary_use__person_segment') }} as segment
        on population.person_id = segment.person_id
        and population.month_end = segment.month_end
    where segment.scheme = 'bridges_to_health_style'
)

select
    month_end,
    {{ area_columns(['place', 'pcn']) }},
    coalesce(segment_code, 'all') as segment_code,
    cast(count(*) as integer) as n_people,
    cast(null as boolean) as is_n_people_hidden
from resident
group by
    month_end,
    {{ area_rollup(['place', 'pcn']) }},
    cube (segment_code)
