-- One value a day: which of several counts is the measure's rule. A pair keeps both values; a difference is one value.
with result as (
    select
        person_record.person_id,
        event.codelist_id,
        event.observed_on,
        event.value,
        event.code,
        event.source
    from {{ codelist_events(ref('observation'), 'snomed') }} as event
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where event.observed_on <= {{ as_of() }}
        and event.value is not null
),

{% for place, codelist in [('first', 'codelist_id'), ('second', 'second_codelist_id')] %}
{{ place }}_value as (
    select
        result.person_id,
        measure.measure_code,
        measure.method,
        result.observed_on,
        case when measure.same_day = 'lowest' then min(result.value) else max(result.value) end as value,
        min(result.code) as code,
        {{ distinct_values('result.source') }} as sources
    from result
    inner join {{ ref('care_measure') }} as measure
        on result.codelist_id = measure.{{ codelist }}
        {%- if place == 'first' %}
        and result.value between measure.valid_from and measure.valid_to
        {%- endif %}
    group by
        result.person_id,
        measure.measure_code,
        measure.method,
        result.observed_on,
        measure.same_day
){{ ',' if not loop.last }}

{% endfor %}
select
    first_value.person_id,
    first_value.measure_code,
    first_value.method,
    first_value.observed_on,
    case when measure.second_role = 'subtract' then round(first_value.value - second_value.value, 6) else first_value.value end as value,
    case when measure.second_role = 'pair' then second_value.value end as second_value,
    measure.unit,
    first_value.code,
    first_value.sources
from first_value
inner join {{ ref('care_measure') }} as measure
    on first_value.measure_code = measure.measure_code
    and first_value.method is not distinct from measure.method
left join second_value
    on first_value.person_id = second_value.person_id
    and first_value.measure_code = second_value.measure_code
    and first_value.method is not distinct from second_value.method
    and first_value.observed_on = second_value.observed_on
where measure.second_role is null
    or second_value.value is not null
