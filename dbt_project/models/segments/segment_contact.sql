-- An emergency spell may be several episodes; a day on which a person is admitted as an emergency is one admission, and a clinic
-- that a person attends on many days is one specialty.
{%- set common_specialties = ["'110'", "'120'", "'130'", "'180'", "'501'", "'560'"] %}
with contact as (
    select
        person_record.person_id,
        case
            when encounter.setting = 'inpatient' and encounter.is_emergency then 'emergency_admission'
            when encounter.setting = 'emergency_department' and encounter.is_emergency then 'emergency_attendance'
            when encounter.setting = 'gp' then 'gp_appointment'
            when encounter.setting = 'community' then 'community_contact'
            when encounter.setting = 'mental_health' and encounter.encounter_type = 'spell' then 'mental_health_admission'
            when encounter.setting = 'outpatient' and encounter.specialty_code = '420' then 'paediatric_outpatient_appointment'
        end as kind,
        cast(encounter.started_at as date) as contact_date,
        cast(encounter.started_at as varchar) as counted_once,
        encounter.source
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.is_attended is distinct from false
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}

    union all

    select
        person_record.person_id,
        unnest(
            case
                -- trauma and orthopaedics, ENT, ophthalmology, emergency, obstetrics and midwifery say little of complexity in a child
                when encounter.specialty_code in ({{ common_specialties | join(', ') }}) then ['outpatient_specialty']
                else ['outpatient_specialty', 'outpatient_specialty_but_common']
            end
        ) as kind,
        cast(encounter.started_at as date) as contact_date,
        encounter.specialty_code as counted_once,
        encounter.source
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.setting = 'outpatient'
        and encounter.specialty_code is not null
        and encounter.is_attended is distinct from false
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
)

select
    person_id,
    kind,
    contact_date,
    case when kind in ('emergency_admission', 'emergency_attendance') then cast(contact_date as varchar) else counted_once end as counted_once,
    min(source) as source
from contact
where kind is not null
    and contact_date > {{ date_plus('day', -400, date_plus('month', '-' ~ var('segment_months'), as_of())) }}
group by all
