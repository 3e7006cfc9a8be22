{#- places and the whole ICS: smaller areas have too few people in a tenth of deprivation or an ethnic group -#}
{%- set dimensions = ['deprivation_decile', 'ethnic_group'] -%}
with area as (
    select
        counted_on,
        area_type,
        area_code,
        practice_code
    from {{ ref('area_practice') }}
    where area_type in ('place', 'ics')
),

-- segments have a past; everything else is known as it stands
measure_day as (
    select
        measure.measure_id,
        day.counted_on
    from {{ ref('measure') }} as measure
    inner join {{ ref('count_day') }} as day
        on measure.counted_on = day.counted_on
        or (measure.measure_kind = 'segment' and day.counted_on < measure.counted_on)
),

person as (
    select
        person.counted_on,
        person.is_latest,
        person.practice_code,
        person.deprivation_decile,
        person.ethnic_group,
        person.age_band,
        person.sex,
        {{ count_by_purpose('population', 'person') }}
    from {{ ref('measured_person') }} as person
    group by all
),

member as (
    select
        member.measure_id,
        member.counted_on,
        true as is_latest,
        member.practice_code,
        member.deprivation_decile,
        member.ethnic_group,
        member.age_band,
        member.sex,
        {{ count_by_purpose('n', 'member') }}
    from {{ ref('measure_member') }} as member
    group by all

    union all

    select
        {{ measure_id("'segment'", 'segment.scheme', 'segment.segment_code') }} as measure_id,
        person.counted_on,
        false as is_latest,
        person.practice_code,
        person.deprivation_decile,
        cast(null as varchar) as ethnic_group,
        person.age_band,
        person.sex,
        {{ count_by_purpose('n', 'person') }}
    from {{ ref('person_segment') }} as segment
    inner join {{ ref('measured_person') }} as person
        on segment.person_id = person.person_id
        and segment.month_end = person.counted_on
    where not person.is_latest
    group by all
),

{% for table, count in [('person', 'population'), ('member', 'n')] -%}
{{ table }}_in_group as (
    {%- for dimension in dimensions %}
    select
        {{ 'part.measure_id,' if table == 'member' }}
        part.counted_on,
        area.area_type,
        area.area_code,
        '{{ dimension }}' as dimension,
        part.{{ dimension }} as group_code,
        part.age_band,
        part.sex,
        {%- for purpose in counting_purposes() %}
        cast(sum(part.{{ count }}_{{ purpose }}) as bigint) as {{ count }}_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ table }} as part
    inner join area
        on part.counted_on = area.counted_on
        and part.practice_code = area.practice_code
    {#- past months are kept for the gradient of deprivation alone #}
    {{ 'where part.is_latest' if dimension == 'ethnic_group' }}
    group by all
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

{% endfor -%}
counted as (
    select
        measure_day.measure_id,
        person.*,
        {%- for purpose in counting_purposes() %}
        coalesce(member.n_{{ purpose }}, 0) as n_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from person_in_group as person
    inner join measure_day
        on person.counted_on = measure_day.counted_on
    left join member_in_group as member
        on measure_day.measure_id = member.measure_id
        and person.counted_on = member.counted_on
        and person.area_type = member.area_type
        and person.area_code = member.area_code
        and person.dimension = member.dimension
        and person.group_code = member.group_code
        and person.age_band = member.age_band
        and person.sex = member.sex
),

split as (
    {{ rows_by_purpose(
        'counted',
        ['measure_id', 'counted_on', 'area_type', 'area_code', 'dimension', 'group_code', 'age_band', 'sex'],
        ['n', 'population']
    ) }}
)

select *
from split
where population > 0
