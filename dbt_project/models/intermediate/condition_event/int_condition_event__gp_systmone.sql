select
    event_key,
    'gp_systmone' as source,
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
    is_deleted or is_result as is_deleted
from {{ ref('int_coded_statement__gp_systmone') }}
