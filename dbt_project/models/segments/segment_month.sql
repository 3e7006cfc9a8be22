-- the month of the run counts when the run is on its last day
with latest as (
    select
        case
            when {{ month_end(as_of()) }} = {{ as_of() }} then {{ as_of() }}
            else {{ month_end(dbt.dateadd('month', -1, as_of())) }}
        end as month_end
)

select
    {{ month_end(dbt.dateadd('month', '-months.n', 'latest.month_end')) }} as month_end
from latest
cross join {{ integers(var('segment_months')) }} as months
