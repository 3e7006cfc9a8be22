{# The model has exactly one row for every person that `population` permits, and no other. #}
{% test every_person_once(model, population, permission) %}
with expected as (
    select person_id
    from {{ population }}
    where {{ permission }}
),

found as (
    select
        person_id,
        count(*) as n_rows
    from {{ model }}
    group by person_id
)

select
    expected.person_id is not null as is_expected,
    coalesce(found.n_rows, 0) as n_rows
from expected
full outer join found
    on expected.person_id = found.person_id
where found.n_rows is distinct from 1
    or expected.person_id is null
{% endtest %}
