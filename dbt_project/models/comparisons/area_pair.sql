{#- areas from the smallest kind to the largest -#}
{%- set kinds = ['practice', 'pcn', 'lcp', 'place', 'ics'] -%}
with area as (
    select
        counted_on,
        area_type,
        area_code,
        practice_code,
        case area_type {% for kind in kinds %}when '{{ kind }}' then {{ loop.index }} {% endfor %}end as level
    from {{ ref('area_practice') }}
    where counted_on in (select counted_on from {{ ref('count_day') }} where is_run_date or is_latest_month_end)
),

area_size as (
    select
        counted_on,
        area_type,
        area_code,
        count(*) as n_practices
    from area
    group by
        counted_on,
        area_type,
        area_code
),

shared as (
    select
        area.counted_on,
        area.area_type,
        area.area_code,
        comparator.area_type as comparator_type,
        comparator.area_code as comparator_code,
        comparator.level as comparator_level,
        count(*) as n_practices
    from area
    inner join area as comparator
        on area.counted_on = comparator.counted_on
        and area.practice_code = comparator.practice_code
        and area.level < comparator.level
    group by
        area.counted_on,
        area.area_type,
        area.area_code,
        comparator.area_type,
        comparator.area_code,
        comparator.level
)

-- An area is compared with every larger one that holds all of its practices. Partnerships cut across networks: they are nobody's parent.
select
    shared.counted_on,
    shared.area_type,
    shared.area_code,
    shared.comparator_type,
    shared.comparator_code,
    shared.comparator_type <> 'lcp'
    and row_number() over (
        partition by shared.counted_on, shared.area_type, shared.area_code
        order by shared.comparator_type = 'lcp', shared.comparator_level, shared.comparator_code
    ) = 1 as is_parent
from shared
inner join area_size
    on shared.counted_on = area_size.counted_on
    and shared.area_type = area_size.area_type
    and shared.area_code = area_size.area_code
    and shared.n_practices = area_size.n_practices
