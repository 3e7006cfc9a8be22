with rule as (
    select
        condition_code,
        codelist_id,
        codelist_elsewhere_id,
        evidence_elsewhere_counts,
        counted_from,
        expires_after_days,
        min_age,
        medicine_codelist_id,
        medicine_months,
        medicine_role,
        measurement_codelist_id,
        measurement_at_least,
        measurement_at_least_minority_ethnic
    from {{ ref('register_rule') }}
),

-- statements coded in SNOMED CT: on the GP record they make the diagnosis, elsewhere they support it
stated as (
    select
        event.record_token,
        rule.condition_code,
        'diagnosis' as basis,
        event.event_date,
        event.category,
        event.setting = 'gp' or rule.evidence_elsewhere_counts as is_counted,
        event.setting = 'gp' as is_from_gp,
        event.code,
        {{ date_plus('day', 'rule.expires_after_days', 'event.event_date') }} as expires_on,
        rule.counted_from
    from {{ codelist_events(ref('condition_event'), 'snomed') }} as event
    inner join rule
        on event.codelist_id = rule.codelist_id
),

-- diagnoses coded in ICD-10, which hospitals and mental health services use
coded_elsewhere as (
    select
        event.record_token,
        rule.condition_code,
        'diagnosis' as basis,
        event.event_date,
        event.category,
        rule.evidence_elsewhere_counts as is_counted,
        false as is_from_gp,
        event.code,
        {{ date_plus('day', 'rule.expires_after_days', 'event.event_date') }} as expires_on,
        rule.counted_from
    from {{ codelist_events(ref('condition_event'), 'icd10') }} as event
    inner join rule
        on event.codelist_id = rule.codelist_elsewhere_id
),

-- issues of a medicine that a register asks for, or that stands for the diagnosis; each covers some months
issued as (
    select
        event.record_token,
        rule.condition_code,
        'medicine' as basis,
        event.issued_on as event_date,
        event.category,
        true as is_counted,
        starts_with(event.source, 'gp_') as is_from_gp,
        event.code,
        {{ date_plus('month', 'rule.medicine_months', 'event.issued_on') }} as expires_on,
        rule.counted_from
    from {{ codelist_events(ref('medication'), 'dmd') }} as event
    inner join rule
        on event.codelist_id = rule.medicine_codelist_id
),

-- a result on or above the limit puts a person on the register, a later one below it takes them off
measured as (
    select
        event.record_token,
        rule.condition_code,
        'measurement' as basis,
        event.observed_on as event_date,
        case
            when event.value >= case
                when person.is_minority_ethnic then rule.measurement_at_least_minority_ethnic
                else rule.measurement_at_least
            end then 'INCLUSION'
            else 'RESOLUTION'
        end as category,
        true as is_counted,
        starts_with(event.source, 'gp_') as is_from_gp,
        event.code,
        {{ date_plus('day', 'rule.expires_after_days', 'event.observed_on') }} as expires_on,
        rule.counted_from
    from {{ codelist_events(ref('observation'), 'snomed') }} as event
    inner join rule
        on event.codelist_id = rule.measurement_codelist_id
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    inner join {{ ref('person') }} as person
        on person_record.person_id = person.person_id
    where event.value is not null
        and event.observed_on is not null
        and (rule.min_age is null or {{ age_in_years('person.birth_month', 'event.observed_on') }} >= rule.min_age)
),

evidence as (
    select * from stated
    union all
    select * from coded_elsewhere
    union all
    select * from issued
    union all
    select * from measured
)

select
    person_record.person_id,
    evidence.condition_code,
    evidence.basis,
    evidence.event_date,
    cast(count(*) filter (where evidence.category = 'INCLUSION' and evidence.is_counted) as integer) as n_inclusions,
    cast(count(*) filter (where evidence.category = 'RESOLUTION' and evidence.is_counted) as integer) as n_resolutions,
    cast(count(*) filter (where evidence.category = 'INCLUSION' and evidence.is_counted and evidence.is_from_gp) as integer)
        as n_gp_inclusions,
    cast(count(*) filter (where evidence.category = 'RESOLUTION' and evidence.is_counted and evidence.is_from_gp) as integer)
        as n_gp_resolutions,
    min(evidence.code) filter (where evidence.category = 'INCLUSION' and evidence.is_counted) as code,
    max(evidence.expires_on) as expires_on,
    {{ distinct_values('person_record.source') }} as sources
from evidence
inner join {{ ref('person_record') }} as person_record
    on evidence.record_token = person_record.record_token
where (evidence.event_date is null or evidence.event_date <= {{ as_of() }})
    and (
        evidence.counted_from is null
        or evidence.category = 'RESOLUTION'
        or evidence.event_date >= evidence.counted_from
    )
group by
    person_record.person_id,
    evidence.condition_code,
    evidence.basis,
    evidence.event_date
