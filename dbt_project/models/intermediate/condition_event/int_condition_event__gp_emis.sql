select
    event_key,
    'gp_emis' as source,
    record_token,
    event_date,
    date_precision,
    'snomed' as code_system,
    code,
    cast(null as varchar) as position,
    'gp' as setting,
    organisation_code,
    recorded_on,
    _changed_seq,
    -- a statement that turns into a result must leave this subject, so it is deleted here and not left out
    -- what the practice marks as confidential is not for use elsewhere
    is_deleted or is_result or coalesce(is_confidential, false) as is_deleted
from {{ ref('int_coded_statement__gp_emis') }}
