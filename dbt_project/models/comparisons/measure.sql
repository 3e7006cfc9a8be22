with defined as (
    select
        'condition' as measure_kind,
        cast(null as varchar) as scheme,
        code as measure_code,
        name as measure_name
    from {{ ref('condition') }}

    union all

    select
        'cohort' as measure_kind,
        cast(null as varchar) as scheme,
        code as measure_code,
        name as measure_name
    from {{ ref('cohort') }}

    union all

    select
        'activity' as measure_kind,
        cast(null as varchar) as scheme,
        measure_code,
        name as measure_name
    from {{ ref('activity_measure') }}

    union all

    select
        'segment' as measure_kind,
        scheme,
        code as measure_code,
        name as measure_name
    from {{ ref('segment') }}
)

select
    {{ measure_id('defined.measure_kind', 'defined.scheme', 'defined.measure_code') }} as measure_id,
    defined.measure_kind,
    defined.scheme,
    defined.measure_code,
    defined.measure_name,
    day.counted_on
from defined
inner join {{ ref('count_day') }} as day
    on case when defined.measure_kind = 'segment' then day.is_latest_month_end else day.is_run_date end
