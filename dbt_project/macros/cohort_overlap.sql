{#
  How far every two cohorts are the same people, counted over the people whom the purpose permits: `person_cohort` and `cohort` are marts
  of one purpose. Two cohorts without a common member have a row with zero.
#}
{% macro cohort_overlap(person_cohort, cohort) -%}
with member as (
    select
        person_id,
        cohort_code
    from {{ person_cohort }}
    where exited_on is null
),

size as (
    select
        cohort.code,
        cast(count(member.person_id) as integer) as n_members
    from {{ cohort }} as cohort
    left join member
        on cohort.code = member.cohort_code
    group by cohort.code
),

shared as (
    select
        one.cohort_code,
        other.cohort_code as other_cohort_code,
        cast(count(*) as integer) as n_both
    from member as one
    inner join member as other
        on one.person_id = other.person_id
        and one.cohort_code <> other.cohort_code
    group by
        one.cohort_code,
        other.cohort_code
)

select
    one.code as cohort_code,
    other.code as other_cohort_code,
    one.n_members,
    other.n_members as n_other_members,
    coalesce(shared.n_both, 0) as n_both,
    cast(coalesce(shared.n_both, 0) / nullif(one.n_members, 0) as double) as share_of_cohort,
    cast(coalesce(shared.n_both, 0) / nullif(one.n_members + other.n_members - coalesce(shared.n_both, 0), 0) as double) as jaccard
from size as one
inner join size as other
    on one.code <> other.code
left join shared
    on one.code = shared.cohort_code
    and other.code = shared.other_cohort_code
{%- endmacro %}
