-- What today's records say of the living and registered, fact by fact. A value outside its limits or its window is kept as well,
-- not met: it tells when somebody who lacks a check last had one.
with asked as (
    select distinct fact_code
    from {{ ref('care_gap_requirement') }}
),

fact as (
    select rule.*
    from {{ ref('care_fact_rule') }} as rule
    inner join asked
        on rule.fact_code = asked.fact_code
),

coded_fact as (
    select
        definition.fact_code,
        definition.kind,
        definition.codelist_id,
        fact.within_months
    from {{ ref('care_fact') }} as definition
    inner join asked
        on definition.fact_code = asked.fact_code
    left join fact
        on definition.fact_code = fact.fact_code
    where definition.kind in ('statement', 'diagnosis', 'known_to_gp', 'in_hospital')
),

-- diagnoses elsewhere are those in ICD-10: an emergency department's SNOMED CT codes name what was suspected
statement as (
    select record_token, codelist_id, category, event_date, code, source
    from {{ codelist_events(ref('condition_event'), 'snomed') }} as snomed
    where setting = 'gp'

    union all

    select record_token, codelist_id, category, event_date, code, source
    from {{ codelist_events(ref('condition_event'), 'icd10') }} as icd10
),

-- a statement of the GP stands unless it is taken back on the same day or later; what others say is not taken back
coded as (
    select
        person_record.person_id,
        coded_fact.fact_code,
        coded_fact.kind,
        min(statement.event_date) filter (
            where statement.category = 'INCLUSION'
                and {{ is_within('statement.event_date', 'coded_fact.within_months') }}
        ) as since_date,
        max(statement.event_date) filter (where statement.category = 'INCLUSION') as last_date,
        max(statement.event_date) filter (where statement.category = 'RESOLUTION') as resolved_on,
        count(*) filter (
            where statement.category = 'INCLUSION'
                and {{ is_within('statement.event_date', 'coded_fact.within_months') }}
        ) as n_inclusions,
        {{ joined_values('statement.code') }} as codes,
        {{ distinct_values('statement.source') }} as sources
    from statement
    inner join coded_fact
        on statement.codelist_id = coded_fact.codelist_id
    inner join {{ ref('person_record') }} as person_record
        on statement.record_token = person_record.record_token
    where statement.event_date is null
        or statement.event_date <= {{ as_of() }}
    group by
        person_record.person_id,
        coded_fact.fact_code,
        coded_fact.kind
),

issued as (
    select
        person_record.person_id,
        fact.fact_code,
        min(event.issued_on) as since_date,
        max(event.issued_on) as last_date,
        {{ joined_values('event.code') }} as codes,
        {{ distinct_values('event.source') }} as sources
    from {{ codelist_events(ref('medication'), 'dmd') }} as event
    inner join fact
        on event.codelist_id = fact.codelist_id
        and fact.kind = 'medicine'
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where event.issued_on <= {{ as_of() }}
        and {{ is_within('event.issued_on', 'fact.within_months') }}
    group by
        person_record.person_id,
        fact.fact_code,
        fact.min_events
    having count(distinct event.code) >= fact.min_events
),

-- of two methods on one day the reading at home stands
latest as (
    select *
    from {{ ref('care_measurement') }}
    qualify row_number() over (partition by person_id, measure_code order by observed_on desc, method desc) = 1
),

judged as (
    select
        latest.person_id,
        fact.fact_code,
        {{ is_within('latest.observed_on', 'fact.within_months') }}
        and case
            when fact.kind = 'blood_pressure' and fact.is_from_included
                then latest.value >= pressure.systolic or latest.second_value >= pressure.diastolic
            when fact.kind = 'blood_pressure'
                then latest.value > pressure.systolic or latest.second_value > pressure.diastolic
            else {{ is_in_limits('latest.value', 'fact') }}
        end as is_met,
        latest.observed_on,
        fact.within_months,
        latest.value,
        latest.second_value,
        latest.unit,
        latest.method,
        latest.code,
        latest.sources
    from latest
    inner join fact
        on latest.measure_code = fact.measure_code
        and fact.kind in ('measurement', 'blood_pressure')
        and fact.min_events = 1
    left join {{ ref('blood_pressure_level') }} as pressure
        on fact.blood_pressure_level = pressure.level
        and latest.method = pressure.method
),

-- facts that rest on several values: an unbroken one counts only values after the last outside the limits
value_of_several as (
    select
        measurement.*,
        fact.fact_code,
        fact.min_events,
        fact.min_days,
        {{ is_in_limits('measurement.value', 'fact') }} as is_inside,
        fact.is_unbroken,
        max(case when not ({{ is_in_limits('measurement.value', 'fact') }}) then measurement.observed_on end) over (
            partition by measurement.person_id, fact.fact_code
        ) as last_outside_on
    from {{ ref('care_measurement') }} as measurement
    inner join fact
        on measurement.measure_code = fact.measure_code
        and fact.kind = 'measurement'
        and fact.min_events > 1
),

several as (
    select
        person_id,
        fact_code,
        min(observed_on) as since_date,
        max(observed_on) as last_date,
        arg_max(value, observed_on) as value,
        min(unit) as unit,
        {{ joined_values('code') }} as codes,
        {{ joined_lists('sources') }} as sources
    from value_of_several
    where is_inside
        and (not is_unbroken or last_outside_on is null or observed_on > last_outside_on)
    group by
        person_id,
        fact_code,
        min_events,
        min_days
    having count(*) >= min_events
        and max(observed_on) - min(observed_on) >= min_days
        -- the latest value is among them
        and coalesce(max(observed_on) > max(last_outside_on), true)
),

found as (
    select
        person_id,
        fact_code,
        true as is_met,
        since_date,
        last_date,
        cast(null as double) as value,
        cast(null as double) as second_value,
        cast(null as varchar) as unit,
        cast(null as varchar) as method,
        codes,
        array_to_string(sources, ', ') as sources
    from coded
    where case kind
        when 'known_to_gp' then true
        when 'statement' then n_inclusions > 0 and (resolved_on is null or last_date > resolved_on)
        else n_inclusions > 0
    end

    union all

    select
        person_id,
        fact_code,
        true as is_met,
        since_date,
        last_date,
        null as value,
        null as second_value,
        null as unit,
        null as method,
        codes,
        array_to_string(sources, ', ') as sources
    from issued

    union all

    select
        person_id,
        fact_code,
        is_met,
        -- a value holds since its day; a window that has run out, since then
        case when is_met then observed_on else {{ date_plus('month', 'within_months', 'observed_on') }} end as since_date,
        observed_on as last_date,
        value,
        second_value,
        unit,
        method,
        code as codes,
        array_to_string(sources, ', ') as sources
    from judged
    where is_met
        or fact_code in (select fact_code from {{ ref('care_gap_requirement') }} where is_absent)

    union all

    select
        person_id,
        fact_code,
        true as is_met,
        since_date,
        last_date,
        value,
        null as second_value,
        unit,
        null as method,
        codes,
        sources
    from several

    union all

    select
        condition.person_id,
        definition.fact_code,
        true as is_met,
        case when definition.kind = 'onset' then condition.onset_date else condition.active_from end as since_date,
        condition.onset_date as last_date,
        null as value,
        null as second_value,
        null as unit,
        null as method,
        condition.last_code as codes,
        condition.sources
    from {{ ref('person_condition') }} as condition
    inner join {{ ref('care_fact') }} as definition
        on condition.condition_code = definition.condition_code
        and definition.kind in ('on_register', 'onset')
    inner join asked
        on definition.fact_code = asked.fact_code
    left join fact
        on definition.fact_code = fact.fact_code
    where condition.is_active
        and (definition.kind = 'on_register' or {{ is_within('condition.onset_date', 'fact.within_months') }})

    union all

    select
        person.person_id,
        fact.fact_code,
        true as is_met,
        null as since_date,
        null as last_date,
        null as value,
        null as second_value,
        null as unit,
        null as method,
        null as codes,
        person.sources
    from {{ ref('person') }} as person
    cross join fact
    where fact.kind = 'person'
)

select
    found.person_id,
    found.fact_code,
    found.is_met,
    greatest(found.since_date, {{ date_plus('month', 'cast(fact.min_age * 12 as integer)', 'person.birth_month') }}) as since_date,
    found.last_date,
    found.value,
    found.second_value,
    found.unit,
    found.method,
    found.codes,
    found.sources
from found
inner join {{ ref('person') }} as person
    on found.person_id = person.person_id
    and person.is_registered
left join fact
    on found.fact_code = fact.fact_code
where {{ is_of_age('person.birth_month', 'fact') }}
    and (fact.sex is null or fact.sex = person.sex)
    and (fact.is_minority_ethnic is null or fact.is_minority_ethnic = person.is_minority_ethnic)
    and (
        fact.ethnic_category_codes is null
        or list_contains(string_split(fact.ethnic_category_codes, ' '), person.ethnic_category_code)
    )
