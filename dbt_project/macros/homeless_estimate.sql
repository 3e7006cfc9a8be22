{#
  How many people are homeless, known or not: capture-recapture over the lists that say so, counted over the people whom the purpose
  permits. `homeless_evidence` is a mart of one purpose. What somebody needs and where mail is sent say less and may copy another list, so
  that two lists of the evidence are left out. NULL while there is nobody on any list.
#}
{% macro homeless_estimate(homeless_evidence) -%}
{%- set lists = ['council', 'voluntary_sector', 'gp', 'hospital'] -%}
with captured as (
    select
        person_id,
        bool_or(list_name = 'council') as is_official,
        bool_or(list_name <> 'council') as is_elsewhere,
        count(*) as n_lists
    from {{ homeless_evidence }}
    where list_name in ('{{ lists | join("', '") }}')
    group by person_id
),

counted as (
    select
        (select count(distinct person_id) from {{ homeless_evidence }}) as n_cohort,
        count(*) as n_known,
        count(*) filter (where is_official) as n_official,
        count(*) filter (where is_elsewhere) as n_elsewhere,
        count(*) filter (where is_official and is_elsewhere) as n_both,
        count(*) filter (where n_lists = 1) as n_on_one_list,
        count(*) filter (where n_lists = 2) as n_on_two_lists
    from captured
),

estimated as (
    select
        *,
        'chao_lower_bound' as method,
        {{ lists | length }} as n_lists,
        {{ chao_lower_bound('n_known', 'n_on_one_list', 'n_on_two_lists', lists | length) }} as estimate,
        {{ chao_variance('n_known', 'n_on_one_list', 'n_on_two_lists', lists | length) }} as variance,
        'Nobody became homeless or ceased to be, or the lists cover the same year; everybody on a list is homeless; records are linked. '
        || 'People may differ in how likely they are to be listed. Lists that send people to each other make it too low.' as assumptions
    from counted
    where n_known > 0

    union all

    select
        *,
        'chapman' as method,
        2 as n_lists,
        {{ chapman('n_official', 'n_elsewhere', 'n_both') }} as estimate,
        {{ chapman_variance('n_official', 'n_elsewhere', 'n_both') }} as variance,
        'As for chao_lower_bound, and the council finds people independently of the other lists together, and everybody alike.'
            as assumptions
    from counted
    where n_known > 0
)

select
    method,
    n_lists,
    cast(n_cohort as integer) as n_cohort,
    cast(n_known as integer) as n_known,
    cast(n_official as integer) as n_official,
    cast(n_on_one_list as integer) as n_on_one_list,
    cast(n_on_two_lists as integer) as n_on_two_lists,
    round(cast(estimate as double), 1) as estimate,
    round(cast({{ unseen_limit('n_known', 'estimate', 'variance', 'low') }} as double), 1) as estimate_low,
    round(cast({{ unseen_limit('n_known', 'estimate', 'variance', 'high') }} as double), 1) as estimate_high,
    cast(n_official / nullif(estimate, 0) as double) as share_official,
    assumptions
from estimated
{%- endmacro %}
