with month as (
    select month_end
    from {{ ref('segment_month') }}
),

rule as (
    select
        scheme,
        segment_code,
        rule_order,
        condition_code,
        measure,
        measure_at_least,
        window_days
    from {{ ref('segment_rule') }}
),

-- conditions held at each month end; a person may hold one on two grounds
held as (
    select
        period.person_id,
        month.month_end,
        period.condition_code,
        min(period.active_from) as since,
        min(period.sources) as sources
    from {{ ref('condition_period') }} as period
    inner join month
        on (period.active_from is null or period.active_from <= month.month_end)
        and (period.active_to is null or period.active_to >= month.month_end)
    where period.condition_code in (select condition_code from rule)
    group by period.person_id, month.month_end, period.condition_code
),

counted_window as (
    select distinct
        measure,
        window_days
    from rule
    where measure is not null
),

counted as (
    select
        contact.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days,
        count(*) as n,
        max(contact.contact_date) as latest_date,
        min(contact.source) as sources
    from {{ ref('emergency_contact') }} as contact
    inner join counted_window
        on counted_window.measure = 'emergency_contact'
        or counted_window.measure = contact.kind
    inner join month
        on contact.contact_date <= month.month_end
        and contact.contact_date > {{ date_plus('day', '-counted_window.window_days', 'month.month_end') }}
    group by
        contact.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days
),

met as (
    select
        held.person_id,
        held.month_end,
        rule.scheme,
        rule.segment_code,
        rule.rule_order,
        held.since,
        cast(null as date) as latest_date,
        held.sources
    from held
    inner join rule
        on held.condition_code = rule.condition_code
    where rule.measure is null

    union all

    select
        held.person_id,
        held.month_end,
        rule.scheme,
        rule.segment_code,
        rule.rule_order,
        held.since,
        counted.latest_date,
        held.sources
    from held
    inner join rule
        on held.condition_code = rule.condition_code
    inner join counted
        on held.person_id = counted.person_id
        and held.month_end = counted.month_end
        and rule.measure = counted.measure
        and rule.window_days = counted.window_days
        and counted.n >= rule.measure_at_least

    union all

    select
        counted.person_id,
        counted.month_end,
        rule.scheme,
        rule.segment_code,
        rule.rule_order,
        cast(null as date) as since,
        counted.latest_date,
        counted.sources
    from counted
    inner join rule
        on counted.measure = rule.measure
        and counted.window_days = rule.window_days
        and counted.n >= rule.measure_at_least
    where rule.condition_code is null
)

-- of several rules that put a person in one segment, the first in the rule list is told as the reason
select
    met.person_id,
    met.month_end,
    met.scheme,
    met.segment_code,
    arg_min(
        struct_pack(
            rule_order := met.rule_order, since := met.since, latest_date := met.latest_date, sources := met.sources
        ),
        met.rule_order
    ) as reason,
    cast(count(*) as integer) as n_rules
from met
inner join {{ ref('segment_population') }} as population
    on met.person_id = population.person_id
    and met.month_end = population.month_end
group by
    met.person_id,
    met.month_end,
    met.scheme,
    met.segment_code
