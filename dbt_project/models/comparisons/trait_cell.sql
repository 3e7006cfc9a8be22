with grouped as (
    select
        member.measure_id,
        member.counted_on,
        member.person_id,
        member.practice_code,
        member.is_direct_care_permitted,
        member.is_secondary_use_permitted
    from {{ ref('measure_member') }} as member
    inner join {{ ref('measure') }} as measure
        on member.measure_id = measure.measure_id
    where measure.measure_kind in ('cohort', 'segment')

    union all

    select
        'everyone' as measure_id,
        person.counted_on,
        person.person_id,
        person.practice_code,
        person.is_direct_care_permitted,
        person.is_secondary_use_permitted
    from {{ ref('measured_person') }} as person
    where person.is_latest
),

counted as (
    select
        grouped.measure_id,
        grouped.counted_on,
        grouped.practice_code,
        trait.trait_kind,
        trait.trait_code,
        {{ count_by_purpose('n', 'grouped') }}
    from grouped
    inner join {{ ref('person_trait') }} as trait
        on grouped.person_id = trait.person_id
    group by
        grouped.measure_id,
        grouped.counted_on,
        grouped.practice_code,
        trait.trait_kind,
        trait.trait_code

    union all

    -- everybody in the group, so that shares have a denominator
    select
        measure_id,
        counted_on,
        practice_code,
        'all' as trait_kind,
        'all' as trait_code,
        {{ count_by_purpose('n', 'grouped') }}
    from grouped
    group by
        measure_id,
        counted_on,
        practice_code
),

in_area as (
    select
        counted.measure_id,
        counted.counted_on,
        area.area_type,
        area.area_code,
        counted.trait_kind,
        counted.trait_code,
        {%- for purpose in counting_purposes() %}
        cast(sum(counted.n_{{ purpose }}) as bigint) as n_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    inner join {{ ref('area_practice') }} as area
        on counted.counted_on = area.counted_on
        and counted.practice_code = area.practice_code
    group by
        counted.measure_id,
        counted.counted_on,
        area.area_type,
        area.area_code,
        counted.trait_kind,
        counted.trait_code
),

split as (
    {{ rows_by_purpose('in_area', ['measure_id', 'counted_on', 'area_type', 'area_code', 'trait_kind', 'trait_code'], ['n']) }}
)

select *
from split
where n > 0
