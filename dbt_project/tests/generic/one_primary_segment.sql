{# Every member of `population` (person, month end) has exactly one row in the model for every scheme of `schemes`. #}
{% test one_primary_segment(model, population, schemes) %}
with expected as (
    select
        population.person_id,
        population.month_end,
        scheme.scheme
    from {{ population }} as population
    cross join (select distinct scheme from {{ schemes }}) as scheme
),

found as (
    select
        person_id,
        month_end,
        scheme,
        count(*) as n_segments
    from {{ model }}
    group by person_id, month_end, scheme
)

select
    coalesce(expected.month_end, found.month_end) as month_end,
    coalesce(expected.scheme, found.scheme) as scheme,
    coalesce(found.n_segments, 0) as n_segments,
    expected.person_id is not null as is_expected
from expected
full outer join found
    on expected.person_id = found.person_id
    and expected.month_end = found.month_end
    and expected.scheme = found.scheme
where found.n_segments is distinct from 1
    or expected.person_id is null
{% endtest %}
