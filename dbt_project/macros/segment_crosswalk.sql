{#
  How the segments of every two schemes divide the same people at the last month end, counted over the people whom the purpose
  permits. `person_segment` is a mart of one purpose. For any two schemes the counts add up to the population.
#}
{% macro segment_crosswalk(person_segment) -%}
with latest as (
    select *
    from {{ person_segment }}
    where month_end = (select max(month_end) from {{ person_segment }})
),

pair as (
    select
        one.scheme,
        one.segment_code,
        other.scheme as other_scheme,
        other.segment_code as other_segment_code,
        one.month_end,
        cast(count(*) as integer) as n_people
    from latest as one
    inner join latest as other
        on one.person_id = other.person_id
        and one.scheme <> other.scheme
    group by
        one.scheme,
        one.segment_code,
        other.scheme,
        other.segment_code,
        one.month_end
)

select
    scheme,
    segment_code,
    other_scheme,
    other_segment_code,
    month_end,
    n_people,
    n_people / sum(n_people) over (partition by scheme, segment_code, other_scheme) as share_of_segment
from pair
{%- endmacro %}
