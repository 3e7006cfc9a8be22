-- Precedence of dates of death: registration, formal and informal PDS notice, general practice, then discharge method 4.
select
    record_token,
    'acute_sus' as source,
    max(spell_discharge_date) as death_date,
    cast(null as varchar) as underlying_cause_code,
    5 as precedence_rank,
    false as is_deleted
from {{ ref('stg_acute_sus__apc') }}
where discharge_method = '4'
    and spell_discharge_date is not null
    and record_token is not null
    and not is_deleted
group by record_token
