-- Core20PLUS5 (NHS England) as far as the landed sources can say; seed `score_rule` names what they cannot.
with active as (
    select
        person_id,
        bool_or(condition_code = 'hypertension') as has_hypertension,
        bool_or(condition_code = 'serious_mental_illness') as has_serious_mental_illness,
        bool_or(condition_code = 'copd') as has_copd,
        bool_or(condition_code = 'learning_disability') as has_learning_disability,
        bool_or(condition_code = 'autism') as is_autistic,
        bool_or(condition_code = 'pregnancy') as is_pregnant,
        bool_or(condition_code = 'asthma') as has_asthma,
        bool_or(condition_code = 'diabetes') as has_diabetes,
        bool_or(condition_code = 'epilepsy') as has_epilepsy,
        count(*) filter (where rule.is_long_term_condition) as n_long_term_conditions
    from {{ ref('person_condition') }} as condition
    inner join {{ ref('condition') }} as rule
        on condition.condition_code = rule.code
    where condition.is_active
    group by person_id
),

-- children are coded before the adult age limits of some registers
ever as (
    select
        person_id,
        bool_or(condition_code = 'diabetes') as has_diabetes,
        bool_or(condition_code = 'epilepsy') as has_epilepsy
    from {{ ref('person_condition') }}
    where resolved_date is null
        and condition_code in ('diabetes', 'epilepsy')
    group by person_id
),

-- the pair of pressures of the latest day with both; of two records' pairs of one day the higher
blood_pressure as (
    select
        person_record.person_id,
        arg_max(reading.systolic, {{ survivorship_order(['reading.observed_on', 'reading.systolic', 'reading.diastolic']) }}) as systolic,
        arg_max(reading.diastolic, {{ survivorship_order(['reading.observed_on', 'reading.systolic', 'reading.diastolic']) }}) as diastolic
    from (
        select
            event.record_token,
            event.observed_on,
            max(event.value) filter (where event.codelist_id = 'snomed_systolic_blood_pressure') as systolic,
            max(event.value) filter (where event.codelist_id = 'snomed_diastolic_blood_pressure') as diastolic
        from {{ codelist_events(ref('observation'), 'snomed') }} as event
        where event.codelist_id in ('snomed_systolic_blood_pressure', 'snomed_diastolic_blood_pressure')
            and event.observed_on <= {{ as_of() }}
        group by
            event.record_token,
            event.observed_on
    ) as reading
    inner join {{ ref('person_record') }} as person_record
        on reading.record_token = person_record.record_token
    where reading.systolic is not null
        and reading.diastolic is not null
    group by person_record.person_id
),

homeless as (
    select distinct person_id
    from {{ ref('homeless_period') }}
    where counts_to is null or counts_to >= {{ as_of() }}
),

mental_health_contact as (
    select distinct person_record.person_id
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.source = 'mental_health_mhsds'
        and encounter.is_attended is distinct from false
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
        and encounter.started_at >= {{ date_plus('month', -12, as_of()) }}
),

known as (
    select
        person.person_id,
        person.age_years,
        person.imd_decile,
        person.is_minority_ethnic,
        person.sources,
        active.* exclude (person_id, has_diabetes, has_epilepsy),
        coalesce(active.has_diabetes, false) or coalesce(ever.has_diabetes, false) as has_diabetes,
        coalesce(active.has_epilepsy, false) or coalesce(ever.has_epilepsy, false) as has_epilepsy,
        homeless.person_id is not null as is_homeless,
        mental_health_contact.person_id is not null as has_mental_health_contact,
        blood_pressure.systolic >= 140 or blood_pressure.diastolic >= 90 as is_pressure_raised
    from {{ ref('person') }} as person
    left join active
        on person.person_id = active.person_id
    left join ever
        on person.person_id = ever.person_id
    left join homeless
        on person.person_id = homeless.person_id
    left join mental_health_contact
        on person.person_id = mental_health_contact.person_id
    left join blood_pressure
        on person.person_id = blood_pressure.person_id
    where person.is_alive
        and person.age_years is not null
),

flagged as (
    select
        person_id,
        sources,
        case when age_years >= 18 then 'core20plus5_adults' else 'core20plus5_children' end as component_set,
        unnest([
            {'component_code': 'core20', 'is_met': imd_decile <= 2},
            {'component_code': 'plus_ethnic_minority', 'is_met': is_minority_ethnic},
            {'component_code': 'plus_homeless', 'is_met': is_homeless},
            {'component_code': 'plus_learning_disability', 'is_met': has_learning_disability},
            {'component_code': 'plus_autism', 'is_met': is_autistic},
            {'component_code': 'plus_multimorbidity', 'is_met': age_years >= 18 and n_long_term_conditions >= 2},
            {'component_code': 'adult_maternity', 'is_met': age_years >= 18 and is_pregnant and (is_minority_ethnic or imd_decile <= 2)},
            {'component_code': 'adult_serious_mental_illness', 'is_met': age_years >= 18 and has_serious_mental_illness},
            {'component_code': 'adult_chronic_respiratory', 'is_met': age_years >= 18 and has_copd},
            {
                'component_code': 'adult_hypertension_case_finding',
                'is_met': age_years >= 18 and is_pressure_raised and not coalesce(has_hypertension, false)
            },
            {'component_code': 'child_asthma', 'is_met': age_years < 18 and has_asthma},
            {'component_code': 'child_diabetes', 'is_met': age_years < 18 and has_diabetes},
            {'component_code': 'child_epilepsy', 'is_met': age_years < 18 and has_epilepsy},
            {'component_code': 'child_mental_health', 'is_met': age_years < 18 and has_mental_health_contact}
        ], recursive := true)
    from known
)

select
    person_id,
    component_set,
    component_code,
    sources
from flagged
where is_met
