with ascertained as (
    select
        component_set,
        cast(count(distinct component_code) as integer) as n_components,
        cast(count(distinct component_code) filter (where kind <> 'not_ascertained') as integer) as n_components_ascertained
    from {{ ref('score_component') }}
    group by component_set
),

trained as (
    select
        score_code,
        version
    from {{ ref('risk_model') }}
    where is_in_use
)

select
    rule.score_code as code,
    rule.name,
    case when rule.combination = 'trained_model' then trained.version else rule.version end as version,
    rule.description,
    case
        when rule.combination = 'trained_model' and trained.version is null
            then 'Not computed: no trained model is in use here (docs/risk.md says how to make one). '
        else ''
    end || rule.limits as limits,
    rule.source,
    rule.owner,
    rule.derived_from_age,
    rule.derived_to_age,
    ascertained.n_components,
    ascertained.n_components_ascertained
from {{ ref('score_rule') }} as rule
left join ascertained
    on rule.component_set = ascertained.component_set
left join trained
    on rule.score_code = trained.score_code
