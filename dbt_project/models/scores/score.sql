with ascertained as (
    select
        component_set,
        cast(count(distinct component_code) as integer) as n_components,
        cast(count(distinct component_code) filter (where kind <> 'not_ascertained') as integer) as n_components_ascertained
    from {{ ref('score_component') }}
    group by component_set
)

select
    rule.score_code as code,
    rule.name,
    rule.version,
    rule.description,
    rule.limits,
    rule.source,
    rule.owner,
    rule.derived_from_age,
    rule.derived_to_age,
    ascertained.n_components,
    ascertained.n_components_ascertained
from {{ ref('score_rule') }} as rule
left join ascertained
    on rule.component_set = ascertained.component_set
