-- The only place where evidence becomes part of a score. Which evidence counts is in seed `score_component`.
with component as (
    select *
    from {{ ref('score_component') }}
),

-- evidence that counts at any time up to the run's date, or within the component's window
hospital_diagnosis as (
    select
        person_record.person_id,
        component.component_set,
        component.component_code,
        event.code,
        event.event_date,
        event.source
    {{ component_events(ref('condition_event'), 'icd10', 'hospital_diagnosis', 'event_date') }}
        and event.setting = 'inpatient'
        and event.category = 'INCLUSION'
),

stated as (
    select
        person_record.person_id,
        component.component_set,
        component.component_code,
        component.evidence_order,
        event.code,
        event.event_date,
        event.category,
        event.source
    {{ component_events(ref('condition_event'), 'snomed', 'statement', 'event_date') }}
        and event.setting = 'gp'
),

-- a statement that is taken back on the same day or later no longer counts
standing_statement as (
    select stated.* exclude (category)
    from stated
    left join (
        select
            person_id,
            component_set,
            component_code,
            evidence_order,
            max(event_date) as taken_back_on
        from stated
        where category = 'RESOLUTION'
        group by person_id, component_set, component_code, evidence_order
    ) as resolution
        on stated.person_id = resolution.person_id
        and stated.component_set = resolution.component_set
        and stated.component_code = resolution.component_code
        and stated.evidence_order = resolution.evidence_order
    where stated.category = 'INCLUSION'
        and (resolution.taken_back_on is null or stated.event_date > resolution.taken_back_on)
),

registered as (
    select
        condition.person_id,
        component.component_set,
        component.component_code,
        condition.last_code as code,
        condition.onset_date as event_date,
        condition.sources as source
    from {{ ref('person_condition') }} as condition
    inner join component
        on condition.condition_code = component.condition_code
    where (component.kind = 'condition' or (component.kind = 'condition_active' and condition.is_active))
        and (
            component.lookback_months is null
            or condition.onset_date > {{ date_plus('month', '-component.lookback_months', as_of()) }}
        )
),

issued as (
    select
        person_record.person_id,
        component.component_set,
        component.component_code,
        min(event.code) as code,
        max(event.issued_on) as event_date,
        min(event.source) as source
    {{ component_events(ref('medication'), 'dmd', 'medicine', 'issued_on') }}
    group by
        person_record.person_id,
        component.component_set,
        component.component_code,
        component.min_events
    having count(*) >= component.min_events
),

-- one value a day: a repeated request on one day is one measurement
measured as (
    select
        person_record.person_id,
        component.component_set,
        component.component_code,
        component.evidence_order,
        component.latest_n,
        component.value_below,
        component.sex,
        event.observed_on,
        min(event.code) as code,
        max(event.value) as value,
        min(event.source) as source,
        row_number() over (
            partition by person_record.person_id, component.component_set, component.component_code, component.evidence_order
            order by event.observed_on desc
        ) as recency
    {{ component_events(ref('observation'), 'snomed', 'measurement', 'observed_on') }}
        and event.value > component.valid_above
        and event.value <= component.valid_to
    group by
        person_record.person_id,
        component.component_set,
        component.component_code,
        component.evidence_order,
        component.latest_n,
        component.value_below,
        component.sex,
        event.observed_on
),

-- all of the latest values lie below the limit
below_limit as (
    select
        measured.person_id,
        measured.component_set,
        measured.component_code,
        max(measured.code) as code,
        max(measured.observed_on) as event_date,
        min(measured.source) as source
    from measured
    inner join {{ ref('person') }} as person
        on measured.person_id = person.person_id
    where measured.recency <= measured.latest_n
        and (measured.sex is null or measured.sex = person.sex)
    group by
        measured.person_id,
        measured.component_set,
        measured.component_code,
        measured.evidence_order,
        measured.latest_n,
        measured.value_below
    having max(measured.value) < measured.value_below and count(*) = measured.latest_n
),

many_medicines as (
    select
        medicine.person_id,
        component.component_set,
        component.component_code,
        cast(null as varchar) as code,
        medicine.last_issued_on as event_date,
        medicine.sources as source
    from {{ ref('medicine_count') }} as medicine
    inner join component
        on component.kind = 'distinct_medicines'
        and medicine.n_medicines >= component.min_events
),

evidence as (
    select person_id, component_set, component_code, code, event_date, source from hospital_diagnosis
    union all
    select person_id, component_set, component_code, code, event_date, source from standing_statement
    union all
    select person_id, component_set, component_code, code, event_date, source from registered
    union all
    select person_id, component_set, component_code, code, event_date, source from issued
    union all
    select person_id, component_set, component_code, code, event_date, source from below_limit
    union all
    select person_id, component_set, component_code, code, event_date, source from many_medicines
)

select
    person_id,
    component_set,
    component_code,
    cast(1 as double) as quantity,
    max(event_date) as last_date,
    {{ joined_values('code') }} as codes,
    {{ joined_values('source') }} as sources
from evidence
group by
    person_id,
    component_set,
    component_code

union all

select
    person_id,
    'parr_30' as component_set,
    component_code,
    quantity,
    last_date,
    cast(null as varchar) as codes,
    sources
from {{ ref('index_admission_term') }}

union all

select
    person_id,
    component_set,
    component_code,
    cast(1 as double) as quantity,
    cast(null as date) as last_date,
    cast(null as varchar) as codes,
    sources
from {{ ref('core20plus5_group') }}
