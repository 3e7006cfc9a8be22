-- An emergency spell may be several episodes; a day on which a person is admitted as an emergency is one admission.
with emergency as (
    select
        person_record.person_id,
        case when encounter.setting = 'inpatient' then 'emergency_admission' else 'emergency_attendance' end as kind,
        cast(encounter.started_at as date) as contact_date,
        encounter.source
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.is_emergency
        and encounter.setting in ('inpatient', 'emergency_department')
        and encounter.is_attended is distinct from false
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
)

select
    person_id,
    kind,
    contact_date,
    min(source) as source
from emergency
group by person_id, kind, contact_date
