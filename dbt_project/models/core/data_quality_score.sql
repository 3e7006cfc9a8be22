-- Each row that arrives is put to one test of completeness, of validity and of uniqueness at the door; each check of what landed is
-- one more test of every row it looks at. A score is the share of the tests that were passed.
with received as (
    select
        source,
        table_name,
        delivery_date,
        sum(rows_in) as n_rows
    from {{ ref('stg_operations__delivery') }}
    where status = 'landed'
    group by source, table_name, delivery_date
),

kept_out as (
    select
        row_kept_out.source,
        row_kept_out.table_name,
        row_kept_out.delivery_date,
        {{ dimension_of_reason('row_kept_out.reason_code') }} as dimension,
        sum(row_kept_out.n_rows) as n_rows
    from {{ ref('stg_operations__quarantine_summary') }} as row_kept_out
    inner join {{ ref('stg_operations__delivery') }} as delivery
        on row_kept_out.load_seq = delivery.load_seq
        and delivery.status = 'landed'
    group by
        row_kept_out.source,
        row_kept_out.table_name,
        row_kept_out.delivery_date,
        {{ dimension_of_reason('row_kept_out.reason_code') }}
),

at_the_door as (
    select
        received.source,
        received.table_name,
        dimension.dimension,
        received.delivery_date as measured_on,
        received.n_rows as n_tests,
        coalesce(kept_out.n_rows, 0) as n_failed
    from received
    cross join (values ('completeness'), ('validity'), ('uniqueness')) as dimension (dimension)
    left join kept_out
        on received.source = kept_out.source
        and received.table_name = kept_out.table_name
        and received.delivery_date = kept_out.delivery_date
        and dimension.dimension = kept_out.dimension
),

-- a night that is run again checks the same rows again
checked as (
    select
        source,
        table_name,
        {{ dimension_of_rule('rule') }} as dimension,
        as_of as measured_on,
        max(n_rows) as n_tests,
        max(n_failed) as n_failed
    from {{ ref('stg_operations__quality_result') }}
    where stage = 'landed'
        and status <> 'not_evaluated'
        and as_of <= {{ as_of() }}
    group by source, table_name, rule, as_of
),

-- a delivery is on time when no longer than its contract allows has passed since the one before; the run's date stands for the next
dated as (
    select
        source,
        table_name,
        delivery_date as measured_on
    from received

    union

    select
        source,
        table_name,
        {{ as_of() }} as measured_on
    from received
),

gap as (
    select
        source,
        table_name,
        measured_on,
        measured_on - lag(measured_on) over (partition by source, table_name order by measured_on) as n_days
    from dated
),

timed as (
    select
        gap.source,
        gap.table_name,
        'timeliness' as dimension,
        gap.measured_on,
        1 as n_tests,
        case when gap.n_days > terms.stale_after_days then 1 else 0 end as n_failed
    from gap
    inner join {{ source_terms() }} as terms
        on gap.source = terms.source
    where gap.n_days is not null
),

tested as (
    select * from at_the_door
    union all
    select * from checked
    union all
    select * from timed
)

select
    source,
    table_name,
    dimension,
    measured_on,
    cast(sum(n_tests) as bigint) as n_tests,
    cast(sum(n_failed) as bigint) as n_failed,
    round(1 - sum(n_failed) * 1.0 / nullif(sum(n_tests), 0), 5) as score,
    measured_on = max(measured_on) over (partition by source, table_name, dimension) as is_latest
from tested
group by
    source,
    table_name,
    dimension,
    measured_on
