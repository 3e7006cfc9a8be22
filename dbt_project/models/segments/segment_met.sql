with month as (
    select month_end
    from {{ ref('segment_month') }}
),

rule as (
    select
        scheme,
        segment_code,
        1 << (
            dense_rank() over (partition by scheme, segment_code order by coalesce(criterion, '')) - 1
        ) as criterion_bit,
        rule_order,
        condition_code,
        condition_list,
        conditions_at_least,
        measure,
        measure_at_least,
        window_days,
        min_age,
        max_age
    from {{ ref('segment_rule') }}
),

population as (
    select
        population.person_id,
        population.month_end,
        {{ age_in_years('person.birth_month', 'population.month_end') }} as age_years
    from {{ ref('segment_population') }} as population
    inner join {{ ref('person') }} as person
        on population.person_id = person.person_id
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
    group by period.person_id, month.month_end, period.condition_code
),

-- how many conditions of a list a person holds; some count from an age only
held_of_list as (
    select
        held.person_id,
        held.month_end,
        list.list_code,
        count(*) as n,
        max(held.since) as since,
        min(held.sources) as sources
    from held
    inner join {{ ref('condition_list') }} as list
        on held.condition_code = list.condition_code
    inner join population
        on held.person_id = population.person_id
        and held.month_end = population.month_end
    where list.min_age is null or population.age_years >= list.min_age
    group by held.person_id, held.month_end, list.list_code
),

counted_window as (
    select distinct
        measure,
        window_days
    from rule
    where measure is not null
),

counted as (
    {#- a specialty counts once in a window however often; every other contact counts. Kept apart, because distinct values of
        every contact of everybody would have to be held at once -#}
    {%- for kinds, n in [
        ("not like 'outpatient_specialty%'", 'count(*)'),
        ("like 'outpatient_specialty%'", 'count(distinct contact.counted_once)'),
    ] %}
    select
        contact.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days,
        {{ n }} as n,
        max(contact.contact_date) as latest_date,
        min(contact.source) as sources
    from {{ ref('segment_contact') }} as contact
    inner join counted_window
        on counted_window.measure = contact.kind
        or (counted_window.measure = 'emergency_contact' and contact.kind in ('emergency_admission', 'emergency_attendance'))
    inner join month
        on contact.contact_date <= month.month_end
        and contact.contact_date > {{ date_plus('day', '-counted_window.window_days', 'month.month_end') }}
    where contact.kind {{ kinds }}
    group by
        contact.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days

    union all
    {% endfor %}

    -- a status lasts: it counts once in every window that it touches
    select
        period.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days,
        1 as n,
        max(period.started_on) as latest_date,
        {{ joined_values('period.list_name') }} as sources
    from {{ ref('homeless_period') }} as period
    inner join counted_window
        on counted_window.measure = 'homelessness'
    inner join month
        on (period.started_on is null or period.started_on <= month.month_end)
        and (
            period.counts_to is null
            or period.counts_to > {{ date_plus('day', '-counted_window.window_days', 'month.month_end') }}
        )
    group by
        period.person_id,
        month.month_end,
        counted_window.measure,
        counted_window.window_days
),

-- a rule asks for a condition, for some conditions of a list, for a count, for several of these at once, or for an age alone
asked as (
    select
        held.person_id,
        held.month_end,
        rule.*,
        held.since,
        cast(null as date) as latest_date,
        held.sources
    from held
    inner join rule
        on held.condition_code = rule.condition_code
    where rule.measure is null

    union all

    select
        held_of_list.person_id,
        held_of_list.month_end,
        rule.*,
        held_of_list.since,
        cast(null as date) as latest_date,
        held_of_list.sources
    from held_of_list
    inner join rule
        on held_of_list.list_code = rule.condition_list
        and held_of_list.n >= rule.conditions_at_least
    where rule.measure is null

    union all

    select
        counted.person_id,
        counted.month_end,
        rule.*,
        held.since,
        counted.latest_date,
        coalesce(held.sources, counted.sources) as sources
    from counted
    inner join rule
        on counted.measure = rule.measure
        and counted.window_days = rule.window_days
        and counted.n >= rule.measure_at_least
    left join held
        on counted.person_id = held.person_id
        and counted.month_end = held.month_end
        and rule.condition_code = held.condition_code
    left join held_of_list
        on counted.person_id = held_of_list.person_id
        and counted.month_end = held_of_list.month_end
        and rule.condition_list = held_of_list.list_code
        and rule.conditions_at_least <= held_of_list.n
    where (rule.condition_code is null or held.person_id is not null)
        and (rule.condition_list is null or held_of_list.person_id is not null)

    union all

    select
        population.person_id,
        population.month_end,
        rule.*,
        cast(null as date) as since,
        cast(null as date) as latest_date,
        cast(null as varchar) as sources
    from population
    inner join rule
        on rule.condition_code is null
        and rule.condition_list is null
        and rule.measure is null
),

-- of several rules that put a person in one segment, the first in the rule list is told as the reason
met as (
    select
        asked.person_id,
        asked.month_end,
        asked.scheme,
        asked.segment_code,
        arg_min(
            struct_pack(
                rule_order := asked.rule_order,
                since := asked.since,
                latest_date := asked.latest_date,
                sources := asked.sources
            ),
            asked.rule_order
        ) as reason,
        cast(count(*) as integer) as n_rules,
        bit_or(asked.criterion_bit) as criteria
    from asked
    inner join population
        on asked.person_id = population.person_id
        and asked.month_end = population.month_end
        and (asked.min_age is null or population.age_years >= asked.min_age)
        and (asked.max_age is null or population.age_years <= asked.max_age)
    group by
        asked.person_id,
        asked.month_end,
        asked.scheme,
        asked.segment_code
),

segment_criteria as (
    select
        scheme,
        segment_code,
        bit_or(criterion_bit) as criteria
    from rule
    group by
        scheme,
        segment_code
)

select
    met.person_id,
    met.month_end,
    met.scheme,
    met.segment_code,
    met.reason,
    met.n_rules
from met
inner join segment_criteria
    on met.scheme = segment_criteria.scheme
    and met.segment_code = segment_criteria.segment_code
    and met.criteria = segment_criteria.criteria
