select
    'care_record_observation|' || observation.organisation_guid || '|' || observation.observation_guid as event_key,
    observation.record_token,
    observation.effective_date as event_date,
    -- the time of day is not carried, so a date with a time is a whole date
    case observation.effective_date_precision when 'YMDT' then 'YMD' else observation.effective_date_precision end as date_precision,
    cast(case when not code.is_deleted then code.snomed_ct_concept_id end as varchar) as code,
    cast(observation.code_id as varchar) as supplied_code,
    observation.value,
    observation.numeric_unit as unit,
    -- the heading of a blood pressure has no value of its own, yet states a result and no condition
    observation.value is not null or coalesce(observation.observation_type in ('Value', 'Investigation'), false) as is_result,
    organisation.ods_code as organisation_code,
    observation.entered_date as recorded_on,
    -- a code or practice that arrives or changes later changes every statement that names it
    greatest(
        observation._changed_seq, coalesce(code._changed_seq, 0), coalesce(organisation._changed_seq, 0)
    ) as _changed_seq,
    coalesce(observation.is_confidential, false) as is_confidential,
    observation.is_deleted
from {{ ref('stg_gp_emis__care_record_observation') }} as observation
left join {{ ref('stg_gp_emis__coding_clinical_code') }} as code
    on observation.code_id = code.code_id
left join {{ ref('stg_gp_emis__admin_organisation') }} as organisation
    on observation.organisation_guid = organisation.organisation_guid
