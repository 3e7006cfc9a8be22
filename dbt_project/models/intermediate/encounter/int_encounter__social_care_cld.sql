-- Requests, assessments and reviews are meetings with the council; services are care packages.
select
    event_key,
    'social_care_cld' as source,
    record_token,
    'social_care' as setting,
    event_type as encounter_type,
    cast(started_on as timestamp) as started_at,
    cast(ended_on as timestamp) as ended_at,
    council_code as organisation_code,
    cast(null as varchar) as site_code,
    false as is_emergency,
    true as is_attended,
    cast(null as varchar) as admission_method_code,
    cast(null as varchar) as discharge_destination_code,
    cast(null as varchar) as specialty_code,
    cast(null as varchar) as team_type_code,
    cast(null as varchar) as hrg_code,
    cast(null as double) as cost_gbp,
    _changed_seq,
    is_deleted
from {{ ref('int_social_care_event__social_care_cld') }}
where event_type in ('request', 'assessment', 'review')
