-- the order of segments that is in force on each month end
with precedence as (
    select
        month.month_end,
        precedence.scheme,
        precedence.segment_code,
        precedence.segment_name,
        precedence.rank,
        precedence.is_default,
        row_number() over (
            partition by month.month_end, precedence.scheme, precedence.segment_code
            order by precedence.effective_from desc
        ) as recency
    from {{ ref('segment_precedence') }} as precedence
    inner join {{ ref('segment_month') }} as month
        on precedence.effective_from <= month.month_end
),

segment as (
    select
        month_end,
        scheme,
        segment_code,
        segment_name,
        rank,
        is_default
    from precedence
    where recency = 1
),

met as (
    select
        met.person_id,
        met.month_end,
        met.scheme,
        met.segment_code,
        segment.segment_name,
        segment.rank,
        met.reason,
        met.n_rules
    from {{ ref('segment_met') }} as met
    inner join segment
        on met.month_end = segment.month_end
        and met.scheme = segment.scheme
        and met.segment_code = segment.segment_code
),

highest as (
    select
        person_id,
        month_end,
        scheme,
        min(rank) as rank
    from met
    group by
        person_id,
        month_end,
        scheme
),

rule as (
    select
        rule_order,
        name
    from {{ ref('segment_rule') }}
)

select
    met.person_id,
    met.scheme,
    met.month_end,
    met.segment_code,
    met.segment_name,
    rule.name
    || coalesce(' since ' || cast(met.reason.since as varchar), '')
    || coalesce(', latest ' || cast(met.reason.latest_date as varchar), '')
    || coalesce(' (' || met.reason.sources || ')', '')
    || case when met.n_rules > 1 then ' and ' || cast(met.n_rules - 1 as varchar) || ' more' else '' end as reason,
    met.rank = highest.rank as is_primary
from met
inner join highest
    on met.person_id = highest.person_id
    and met.month_end = highest.month_end
    and met.scheme = highest.scheme
inner join rule
    on met.reason.rule_order = rule.rule_order

union all

select
    population.person_id,
    segment.scheme,
    population.month_end,
    segment.segment_code,
    segment.segment_name,
    'No rule of another segment is met' as reason,
    true as is_primary
from {{ ref('segment_population') }} as population
inner join segment
    on population.month_end = segment.month_end
    and segment.is_default
left join highest
    on population.person_id = highest.person_id
    and population.month_end = highest.month_end
    and segment.scheme = highest.scheme
where highest.person_id is null
