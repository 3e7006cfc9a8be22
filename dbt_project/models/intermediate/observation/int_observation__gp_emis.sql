select
    event_key,
    'gp_emis' as source,
    record_token,
    event_date as observed_on,
    'snomed' as code_system,
    code,
    value,
    unit,
    organisation_code,
    recorded_on,
    _changed_seq,
    -- a result that loses its value must leave this subject, so it is deleted here and not left out
    -- what the practice marks as confidential is not for use elsewhere
    is_deleted or value is null or coalesce(is_confidential, false) as is_deleted
from {{ ref('int_coded_statement__gp_emis') }}
