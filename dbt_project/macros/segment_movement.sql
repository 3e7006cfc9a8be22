{#
  People who moved between segments from one month end to the next, counted over the people whom the purpose permits.
  `person_segment` and `person` are marts of one purpose. Who joins the registered population comes from `joined`;
  who leaves it goes to `died` or `left`. The first month has nothing before it and is not counted.
#}
{% macro segment_movement(person_segment, person) -%}
with month as (
    select distinct
        month_end,
        {{ month_end(dbt.dateadd('month', -1, 'month_end')) }} as previous_month_end
    from {{ person_segment }}
),

pair as (
    select
        coalesce(after.scheme, before.scheme) as scheme,
        coalesce(after.month_end, before.next_month_end) as month_end,
        coalesce(before.segment_code, 'joined') as from_segment,
        coalesce(
            after.segment_code,
            case
                when person.death_month <= before.next_month_end then 'died'
                else 'left'
            end
        ) as to_segment
    from (
        select
            segment.person_id,
            segment.scheme,
            segment.segment_code,
            month.month_end as next_month_end
        from {{ person_segment }} as segment
        inner join month
            on segment.month_end = month.previous_month_end
    ) as before
    full outer join (
        select
            segment.person_id,
            segment.scheme,
            segment.segment_code,
            segment.month_end
        from {{ person_segment }} as segment
        inner join month
            on segment.month_end = month.month_end
        where month.previous_month_end in (select month_end from month)
    ) as after
        on before.person_id = after.person_id
        and before.scheme = after.scheme
        and before.next_month_end = after.month_end
    left join {{ person }} as person
        on before.person_id = person.person_id
)

select
    scheme,
    month_end,
    from_segment,
    to_segment,
    cast(count(*) as integer) as n_people
from pair
group by
    scheme,
    month_end,
    from_segment,
    to_segment
{%- endmacro %}
