select
    record_token,
    'gp_emis' as source,
    date_of_death as death_date,
    cast(null as varchar) as underlying_cause_code,
    -- a registered death and the Personal Demographics Service come before what a practice has noted
    4 as precedence_rank,
    is_deleted
from {{ ref('stg_gp_emis__admin_patient') }}
where date_of_death is not null
