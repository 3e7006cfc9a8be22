select
    person_record.person_id,
    cast(count(distinct medication.code) as integer) as n_medicines,
    max(medication.issued_on) as last_issued_on,
    {{ joined_values('medication.source') }} as sources
from {{ ref('medication') }} as medication
inner join {{ ref('person_record') }} as person_record
    on medication.record_token = person_record.record_token
where medication.issued_on <= {{ as_of() }}
    and (medication.recorded_on is null or medication.recorded_on <= {{ as_of() }})
    and medication.issued_on > {{ date_plus('month', -12, as_of()) }}
group by person_record.person_id
