with part as (
    {{ union_of([
        ref('int_registration__demographics_pds'),
        ref('int_registration__gp_emis'),
        ref('int_registration__gp_systmone'),
    ], ['record_token', 'source', 'practice_code', 'registration_type', 'valid_from', 'valid_to', 'end_reason']) }}
),

-- a temporary resident stays registered where they are regular
regular as (
    select
        record_token,
        source,
        practice_code,
        end_reason,
        valid_from,
        valid_to
    from part
    where practice_code is not null and registration_type is distinct from 'temporary'
),

history as (
    {{ person_history('regular', 'registration', ['practice_code', 'end_reason']) }}
)

select
    person_id,
    source,
    practice_code,
    end_reason,
    valid_from,
    valid_to
from history
