with stratum as (
    select
        person.counted_on,
        person.practice_code,
        person.age_band,
        person.sex,
        {{ count_by_purpose('population', 'person') }}
    from {{ ref('measured_person') }} as person
    where person.is_latest
    group by
        person.counted_on,
        person.practice_code,
        person.age_band,
        person.sex
),

member as (
    select
        member.measure_id,
        member.practice_code,
        member.age_band,
        member.sex,
        {{ count_by_purpose('n', 'member') }}
    from {{ ref('measure_member') }} as member
    group by
        member.measure_id,
        member.practice_code,
        member.age_band,
        member.sex
),

-- every measure in every stratum with people, whether anybody counts or not
counted as (
    select
        measure.measure_id,
        area.area_type,
        area.area_code,
        stratum.age_band,
        stratum.sex,
        {%- for purpose in counting_purposes() %}
        cast(coalesce(sum(member.n_{{ purpose }}), 0) as bigint) as n_{{ purpose }},
        cast(sum(stratum.population_{{ purpose }}) as bigint) as population_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from stratum
    inner join {{ ref('measure') }} as measure
        on stratum.counted_on = measure.counted_on
    inner join {{ ref('area_practice') }} as area
        on stratum.counted_on = area.counted_on
        and stratum.practice_code = area.practice_code
    left join member
        on measure.measure_id = member.measure_id
        and stratum.practice_code = member.practice_code
        and stratum.age_band = member.age_band
        and stratum.sex = member.sex
    group by
        measure.measure_id,
        area.area_type,
        area.area_code,
        stratum.age_band,
        stratum.sex
),

split as (
    {{ rows_by_purpose('counted', ['measure_id', 'area_type', 'area_code', 'age_band', 'sex'], ['n', 'population']) }}
)

select *
from split
where population > 0
