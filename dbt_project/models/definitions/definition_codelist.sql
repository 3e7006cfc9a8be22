with asked as (
    {% for column, role in {
        'codelist_id': 'diagnosis',
        'codelist_elsewhere_id': 'diagnosis elsewhere',
        'medicine_codelist_id': 'medicine',
        'measurement_codelist_id': 'measurement',
    }.items() %}
    select
        'condition' as kind,
        condition_code as code,
        {{ column }} as codelist_id,
        '{{ role }}' as role
    from {{ ref('register_rule') }}
    where {{ column }} is not null

    union all
    {% endfor %}
    select
        'score' as kind,
        rule.score_code as code,
        component.codelist_id,
        component.name as role
    from {{ ref('score_component') }} as component
    inner join {{ ref('score_rule') }} as rule
        on component.component_set = rule.component_set
    where component.codelist_id is not null

    union all

    select
        'cohort' as kind,
        cohort_code as code,
        codelist_id,
        'membership' as role
    from {{ ref('cohort_rule') }}
    where codelist_id is not null

    union all

    select
        'care_fact' as kind,
        fact_code as code,
        codelist_id,
        'fact' as role
    from {{ ref('care_fact_rule') }}
    where codelist_id is not null

    {% for column in ['codelist_id', 'second_codelist_id'] %}
    union all

    select
        'care_measure' as kind,
        measure_code || '_' || method as code,
        {{ column }} as codelist_id,
        'measurement' as role
    from {{ ref('care_measure') }}
    where {{ column }} is not null
    {% endfor %}
)

select
    kind,
    code,
    codelist_id,
    {{ joined_values('role') }} as role
from asked
group by
    kind,
    code,
    codelist_id
