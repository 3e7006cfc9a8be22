with ascertained as (
    select
        criterion.gap_code,
        cast(count(*) as integer) as n_facts,
        cast(count(*) filter (where fact.kind <> 'not_ascertained') as integer) as n_facts_ascertained
    from {{ ref('care_gap_requirement') }} as criterion
    inner join {{ ref('care_fact') }} as fact
        on criterion.fact_code = fact.fact_code
    group by criterion.gap_code
)

select
    rule.gap_code as code,
    rule.name,
    rule.version,
    rule.description,
    rule.limits,
    rule.source,
    rule.owner,
    rule.kind,
    rule.topic,
    rule.condition_code,
    rule.tier_group,
    rule.tier,
    rule.priority,
    rule.is_probable_diagnosis,
    ascertained.n_facts,
    ascertained.n_facts_ascertained
from {{ ref('care_gap_rule') }} as rule
left join ascertained
    on rule.gap_code = ascertained.gap_code
