with linked as (
    select
        'segment' as kind,
        scheme || '_' || segment_code as code,
        'condition' as uses_kind,
        condition_code as uses_code
    from {{ ref('segment_rule') }}
    where condition_code is not null

    union all

    select
        'segment' as kind,
        rule.scheme || '_' || rule.segment_code as code,
        'condition' as uses_kind,
        list.condition_code as uses_code
    from {{ ref('segment_rule') }} as rule
    inner join {{ ref('condition_list') }} as list
        on rule.condition_list = list.list_code

    union all

    select
        'score' as kind,
        rule.score_code as code,
        'condition' as uses_kind,
        component.condition_code as uses_code
    from {{ ref('score_component') }} as component
    inner join {{ ref('score_rule') }} as rule
        on component.component_set = rule.component_set
    where component.condition_code is not null

    {% for uses_kind in ['condition', 'score'] %}
    union all

    select
        'cohort' as kind,
        cohort_code as code,
        '{{ uses_kind }}' as uses_kind,
        {{ uses_kind }}_code as uses_code
    from {{ ref('cohort_rule') }}
    where {{ uses_kind }}_code is not null
    {% endfor %}
)

select distinct
    kind,
    code,
    uses_kind,
    uses_code
from linked
