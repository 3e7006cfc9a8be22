select
    record_token,
    'demographics_pds' as source,
    -- V81997-V81999 mean no practice, not applicable and unknown
    case when practice_code not in ('V81997', 'V81998', 'V81999') then practice_code end as practice_code,
    'regular' as registration_type,
    effective_from as valid_from,
    effective_to as valid_to,
    case
        when reason_for_removal_code = 'DEA' then 'died'
        when reason_for_removal_code = 'EMB' then 'embarked'
        when reason_for_removal_code is not null or effective_to is not null then 'left_practice'
    end as end_reason,
    is_deleted
from {{ ref('stg_demographics_pds__pds_patient_care_practice') }}
