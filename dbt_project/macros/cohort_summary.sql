{#
  Size, use of services and cost of every cohort over the 12 months to the run's month, counted over the people whom the purpose permits:
  all arguments but `count_day`, which knows the run's date, are marts of one purpose. A cohort without members has a row.
#}
{% macro cohort_summary(cohort, person_cohort, cohort_change, person, person_activity_month, count_day) -%}
with member as (
    select
        person_id,
        cohort_code
    from {{ person_cohort }}
    where exited_on is null
),

population as (
    select cast(count(*) as integer) as n_people
    from {{ person }}
    where is_alive and is_registered
),

activity as (
    select
        contact.person_id,
        sum(contact.n_contacts) as n_contacts,
        sum(contact.n_emergency) as n_emergency,
        sum(cast(contact.cost_gbp as decimal(18, 2))) as cost_gbp
    from {{ person_activity_month }} as contact
    inner join {{ count_day }} as day
        on day.is_run_date
        and contact.month_end > {{ month_end(date_plus('month', -12, 'day.counted_on')) }}
    group by contact.person_id
),

changed as (
    select
        cohort_code,
        cast(count(*) filter (where change = 'joined') as integer) as n_joined,
        cast(count(*) filter (where change = 'left') as integer) as n_left
    from {{ cohort_change }}
    group by cohort_code
),

sized as (
    select
        cohort.code,
        cast(count(member.person_id) as integer) as n_members,
        cast(count(member.person_id) filter (where person.is_registered) as integer) as n_registered,
        avg(person.age_years) as mean_age_years,
        cast(coalesce(sum(activity.n_contacts), 0) as bigint) as n_contacts,
        cast(coalesce(sum(activity.n_emergency), 0) as bigint) as n_emergency,
        cast(coalesce(sum(activity.cost_gbp), 0) as double) as cost_gbp
    from {{ cohort }} as cohort
    left join member
        on cohort.code = member.cohort_code
    left join {{ person }} as person
        on member.person_id = person.person_id
    left join activity
        on member.person_id = activity.person_id
    group by cohort.code
)

select
    sized.code as cohort_code,
    sized.n_members,
    cast(sized.n_registered / nullif(population.n_people, 0) as double) as share_of_registered,
    sized.mean_age_years,
    sized.n_contacts,
    sized.n_emergency,
    sized.cost_gbp,
    sized.cost_gbp / nullif(sized.n_members, 0) as cost_gbp_per_member,
    cast(sized.cost_gbp / nullif((select sum(activity.cost_gbp) from activity), 0) as double) as share_of_cost,
    coalesce(changed.n_joined, 0) as n_joined,
    coalesce(changed.n_left, 0) as n_left
from sized
cross join population
left join changed
    on sized.code = changed.cohort_code
{%- endmacro %}
