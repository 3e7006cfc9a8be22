-- The terms of PARR-30 that are no diagnosis, of the people discharged in the last 30 days: their latest stay is the index admission.
with spell as (
    select
        person_record.person_id,
        cast(encounter.started_at as date) as admitted_on,
        cast(max(encounter.ended_at) as date) as discharged_on,
        bool_or(encounter.is_emergency) as is_emergency,
        {{ joined_values('encounter.source') }} as sources
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.setting = 'inpatient'
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
    group by
        person_record.person_id,
        cast(encounter.started_at as date)
),

index_admission as (
    select
        spell.*,
        person.age_years,
        lsoa.imd_score
    from spell
    inner join {{ ref('person') }} as person
        on spell.person_id = person.person_id
    left join {{ ref('lsoa') }} as lsoa
        on person.lsoa_code = lsoa.lsoa_code
    where person.is_alive
        and person.age_years is not null
        and spell.discharged_on between {{ date_plus('day', -30, as_of()) }} and {{ as_of() }}
    qualify row_number() over (partition by spell.person_id order by spell.discharged_on desc, spell.admitted_on desc) = 1
),

earlier as (
    select
        index_admission.person_id,
        count(*) filter (where spell.admitted_on >= {{ date_plus('year', -1, 'index_admission.admitted_on') }}) as n_last_year,
        count(*) filter (where spell.discharged_on >= index_admission.admitted_on - 30) as n_last_30_days
    from index_admission
    inner join spell
        on index_admission.person_id = spell.person_id
        and spell.is_emergency
        and spell.admitted_on < index_admission.admitted_on
    group by index_admission.person_id
),

term as (
    select
        index_admission.person_id,
        index_admission.discharged_on as last_date,
        index_admission.sources,
        unnest([
            {'component_code': 'age_squared', 'quantity': cast(index_admission.age_years * index_admission.age_years as double)},
            {'component_code': 'emergency_admissions_last_year', 'quantity': cast(coalesce(earlier.n_last_year, 0) as double)},
            {'component_code': 'discharged_last_30_days', 'quantity': case when earlier.n_last_30_days > 0 then 1.0 else 0.0 end},
            {'component_code': 'index_admission_emergency', 'quantity': case when index_admission.is_emergency then 1.0 else 0.0 end}
        ], recursive := true)
    from index_admission
    left join earlier
        on index_admission.person_id = earlier.person_id
)

select
    person_id,
    component_code,
    cast(quantity as double) as quantity,
    last_date,
    sources
from term

union all

select
    index_admission.person_id,
    component.component_code,
    cast(1 as double) as quantity,
    index_admission.discharged_on as last_date,
    'reference' as sources
from index_admission
inner join {{ ref('score_component') }} as component
    on component.component_set = 'parr_30'
    and component.kind = 'deprivation_score'
    and index_admission.imd_score >= component.value_at_least
    and (component.value_below is null or index_admission.imd_score < component.value_below)
