select
    record_token,
    'gp_systmone' as source,
    date_death as death_date,
    cast(null as varchar) as underlying_cause_code,
    -- a registered death and the Personal Demographics Service come before what a practice has noted
    4 as precedence_rank,
    is_deleted
from {{ ref('stg_gp_systmone__sr_patient') }}
where date_death is not null
