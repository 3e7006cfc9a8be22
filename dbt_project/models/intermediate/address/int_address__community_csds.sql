with month as (
    select
        record_token,
        postcode_token,
        postcode_state,
        reporting_period_start_date,
        max(reporting_period_start_date) over (partition by record_token) as newest_start_date
    from {{ ref('stg_community_csds__cyp001_mpi') }}
    where not is_deleted and postcode_state <> 'missing'
)

select
    record_token,
    'community_csds' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case when postcode_state = 'no_fixed_abode' then 'no_fixed_abode' end as residence_type,
    min(reporting_period_start_date) as valid_from,
    -- the last day of the last month in which the postcode was sent, open while it is the newest
    case
        when max(reporting_period_start_date) < any_value(newest_start_date)
            then last_day(max(reporting_period_start_date))
    end as valid_to,
    false as is_deleted
from month
group by record_token, postcode_token, postcode_state
