-- Precedence of dates of death: ONS registration, PDS formal notice, PDS informal notice; general practice and hospital follow.
with pds_notice as (
    select
        record_token,
        date_of_death as death_date,
        death_status,
        is_deleted,
        row_number() over (partition by record_token order by is_deleted, effective_from desc) as recency
    from {{ ref('stg_demographics_pds__pds_person') }}
)

select
    record_token,
    'demographics_pds' as source,
    date_of_death as death_date,
    {{ icd10('underlying_cause_code') }} as underlying_cause_code,
    1 as precedence_rank,
    is_deleted
from {{ ref('stg_demographics_pds__ons_death') }}

union all

select
    record_token,
    'demographics_pds' as source,
    death_date,
    cast(null as varchar) as underlying_cause_code,
    case when death_status = '2' then 2 else 3 end as precedence_rank,
    is_deleted
from pds_notice
where recency = 1
    and death_date is not null
