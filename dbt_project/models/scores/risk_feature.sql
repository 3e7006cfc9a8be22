-- What could be known on the run's date of everybody who might be admitted after it: nothing here looks at a later day, so a run of a
-- past date gives the facts of that date. Hospital stays count from the day of admission, codes from the day they were recorded.
{%- set conditions = [
    'atrial_fibrillation', 'asthma', 'cancer', 'metastatic_cancer', 'coronary_heart_disease', 'chronic_kidney_disease',
    'end_stage_renal_failure', 'copd', 'dementia', 'depression', 'diabetes', 'epilepsy', 'heart_failure', 'hypertension',
    'learning_disability', 'serious_mental_illness', 'stroke_tia', 'palliative_care', 'chronic_liver_disease', 'parkinsons_disease',
    'osteoporosis', 'rheumatoid_arthritis', 'moderate_or_severe_frailty', 'housebound', 'alcohol_misuse', 'substance_misuse',
] %}
{#- count of the last 12 months -> which contacts it counts #}
{%- set counts = {
    'n_planned_admissions': "setting = 'inpatient' and not is_emergency and encounter_type <> 'regular_attendance'",
    'n_outpatient_attendances': "setting = 'outpatient' and is_attended is distinct from false",
    'n_outpatient_missed': "setting = 'outpatient' and not is_attended",
    'n_gp_contacts': "setting = 'gp' and is_attended is distinct from false",
    'n_community_contacts': "setting = 'community' and is_attended is distinct from false",
    'n_mental_health_contacts': "setting = 'mental_health' and is_attended is distinct from false",
} %}
with contact as (
    select
        person_record.person_id,
        encounter.setting,
        encounter.encounter_type,
        encounter.is_emergency,
        encounter.is_attended,
        cast(encounter.started_at as date) as contact_date,
        encounter.started_at >= {{ date_plus('day', 1, date_plus('month', -12, as_of())) }} as is_last_year
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.started_at >= {{ date_plus('day', 1, date_plus('month', -24, as_of())) }}
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
),

counted as (
    select
        person_id,
        {%- for count, which in counts.items() %}
        count(*) filter (where is_last_year and {{ which }}) as {{ count }}_12m{{ ',' if not loop.last }}
        {%- endfor %}
    from contact
    group by person_id
),

-- a stay may be several spells: a day on which a person is admitted, or comes to A&E, counts once
emergency as (
    select
        person_id,
        count(distinct contact_date) filter (where setting = 'inpatient' and is_last_year) as n_emergency_admissions_12m,
        count(distinct contact_date) filter (where setting = 'inpatient' and not is_last_year) as n_emergency_admissions_year_before,
        count(distinct contact_date) filter (where setting = 'emergency_department' and is_last_year) as n_emergency_attendances_12m,
        count(distinct contact_date) filter (where setting = 'emergency_department' and not is_last_year)
            as n_emergency_attendances_year_before
    from contact
    where is_emergency
    group by person_id
),

condition as (
    select
        person_id,
        {%- for condition in conditions %}
        bool_or(condition_code = '{{ condition }}') as has_{{ condition }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('person_condition') }}
    where is_active
    group by person_id
),

care_home as (
    select distinct person_id
    from {{ ref('person_address') }}
    where residence_type = 'institution'
        and (valid_from is null or valid_from <= {{ as_of() }})
        and (valid_to is null or valid_to >= {{ as_of() }})
),

social_care as (
    select distinct person_record.person_id
    from {{ ref('care_package') }} as care_package
    inner join {{ ref('person_record') }} as person_record
        on care_package.record_token = person_record.record_token
    where care_package.event_type = 'service'
        and care_package.started_on <= {{ as_of() }}
        and (care_package.ended_on is null or care_package.ended_on >= {{ as_of() }})
),

homeless as (
    select distinct person_record.person_id
    from {{ ref('housing_status') }} as housing
    inner join {{ ref('person_record') }} as person_record
        on housing.record_token = person_record.record_token
    where housing.is_homeless
        and (housing.started_on is null or housing.started_on <= {{ as_of() }})
        and (housing.ended_on is null or housing.ended_on >= {{ as_of() }})
)

select
    person.person_id,
    {{ as_of() }} as as_of,
    person.age_years,
    coalesce(person.sex = 'M', false) as is_male,
    person.imd_decile,
    coalesce(person.imd_decile <= 2, false) as is_in_most_deprived_fifth,
    person.imd_decile is null as is_deprivation_unknown,
    person.is_no_fixed_abode or homeless.person_id is not null as is_homeless,
    care_home.person_id is not null as is_in_care_home,
    social_care.person_id is not null as has_social_care,
    coalesce(medicine.n_medicines, 0) as n_medicines,
    {%- for count in ['n_emergency_admissions_12m', 'n_emergency_admissions_year_before', 'n_emergency_attendances_12m',
        'n_emergency_attendances_year_before'] %}
    cast(coalesce(emergency.{{ count }}, 0) as integer) as {{ count }},
    {%- endfor %}
    {%- for count in counts %}
    cast(coalesce(counted.{{ count }}_12m, 0) as integer) as {{ count }}_12m,
    {%- endfor %}
    {%- for condition in conditions %}
    coalesce(condition.has_{{ condition }}, false) as has_{{ condition }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ ref('person') }} as person
left join counted
    on person.person_id = counted.person_id
left join emergency
    on person.person_id = emergency.person_id
left join condition
    on person.person_id = condition.person_id
left join care_home
    on person.person_id = care_home.person_id
left join social_care
    on person.person_id = social_care.person_id
left join homeless
    on person.person_id = homeless.person_id
left join {{ ref('medicine_count') }} as medicine
    on person.person_id = medicine.person_id
where person.is_alive
    and person.is_registered
    and person.age_years >= 0
