-- Segments are held at month ends; everything else is counted as it stands on the run's date.
with latest as (
    select max(month_end) as month_end
    from {{ ref('segment_month') }}
),

day as (
    select {{ as_of() }} as counted_on

    union

    select month_end as counted_on
    from {{ ref('segment_month') }}
)

select
    day.counted_on,
    day.counted_on = {{ as_of() }} as is_run_date,
    day.counted_on = latest.month_end as is_latest_month_end
from day
cross join latest
