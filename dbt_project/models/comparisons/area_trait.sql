{%- set n_shown = 10 -%}
{%- set false_discovery_rate = 0.05 -%}
{%- set pair_keys = ['compared_with', 'counted_for', 'measure_id', 'counted_on', 'area_type', 'area_code', 'comparator_type', 'comparator_code'] -%}
-- two comparisons: a group in an area with the same group in the rest of its parent, and a group in the ICS with everybody else there
with cell as (
    select *
    from {{ ref('trait_cell') }}
),

-- `everyone` is counted on every day that any group is, and told of once
told as (
    select
        'everyone' as measure_id,
        'everyone' as measure_kind,
        cast(null as varchar) as scheme,
        'everyone' as measure_code,
        'Everybody registered' as measure_name,
        counted_on
    from {{ ref('count_day') }}
    where is_run_date

    union all

    select *
    from {{ ref('measure') }}
    where measure_kind in ('cohort', 'segment')
),

pair as (
    select
        'same_group_elsewhere' as compared_with,
        counted_on,
        area_type,
        area_code,
        comparator_type,
        comparator_code
    from {{ ref('area_pair') }}
    where is_parent

    union all

    select distinct
        'everyone_else' as compared_with,
        counted_on,
        area_type,
        area_code,
        area_type as comparator_type,
        area_code as comparator_code
    from {{ ref('area_practice') }}
    where area_type = 'ics'
),

{% for name, trait_kinds in [('size', "= 'all'"), ('found', "<> 'all'")] -%}
{# the whole has every trait that its part has -#}
{{ name }} as (
    select
        pair.*,
        whole.counted_for,
        told.measure_id,
        whole.trait_kind,
        whole.trait_code,
        coalesce(part.n, 0) as n,
        whole.n - coalesce(part.n, 0) as rest_n
    from pair
    inner join told
        on pair.counted_on = told.counted_on
        and (pair.compared_with = 'same_group_elsewhere' or told.measure_id <> 'everyone')
    inner join cell as whole
        on pair.counted_on = whole.counted_on
        and case pair.compared_with when 'everyone_else' then 'everyone' else told.measure_id end = whole.measure_id
        and pair.comparator_type = whole.area_type
        and pair.comparator_code = whole.area_code
    left join cell as part
        on whole.counted_for = part.counted_for
        and pair.counted_on = part.counted_on
        and told.measure_id = part.measure_id
        and pair.area_type = part.area_type
        and pair.area_code = part.area_code
        and whole.trait_kind = part.trait_kind
        and whole.trait_code = part.trait_code
    where whole.trait_kind {{ trait_kinds }}
),

{% endfor -%}
share as (
    select
        found.*,
        size.n as group_size,
        size.rest_n as rest_size,
        found.n / size.n as share,
        found.rest_n / size.rest_n as rest_share,
        (found.n + found.rest_n) / (size.n + size.rest_n) as pooled_share
    from found
    inner join size
        on {% for key in pair_keys %}found.{{ key }} = size.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    where size.n > 0
        and size.rest_n > 0
),

-- The normal approximation asks for five people expected with and without the trait on either side. What all or none of a cohort or
-- segment have says who is in it, not what sets them apart from everybody else.
tested as (
    select
        *,
        (share - rest_share) / sqrt(pooled_share * (1 - pooled_share) * (1.0 / group_size + 1.0 / rest_size)) as z,
        round(
            (share - rest_share) / sqrt((share * (1 - share) + rest_share * (1 - rest_share)) / 2), 4
        ) as standardised_difference
    from share
    where least(group_size, rest_size) * least(pooled_share, 1 - pooled_share) >= 5
        and trait_kind || ':' || trait_code <> measure_id
        and (compared_with = 'same_group_elsewhere' or share not in (0, 1))
),

valued as (
    select
        *,
        2 * {{ normal_upper_tail('abs(z)') }} as p_value
    from tested
),

placed as (
    select
        *,
        count(*) over family as n_tested,
        row_number() over (family order by p_value, measure_id, trait_kind, trait_code) as place
    from valued
    window family as (partition by compared_with, counted_for, area_type, area_code)
),

controlled as (
    select
        *,
        least(1, min(p_value * n_tested / place) over (
            partition by compared_with, counted_for, area_type, area_code
            order by place desc
            rows between unbounded preceding and current row
        )) as q_value
    from placed
),

ranked as (
    select
        *,
        row_number() over (
            partition by {{ pair_keys | join(', ') }}
            order by q_value > {{ false_discovery_rate }}, abs(standardised_difference) desc, p_value, trait_kind, trait_code
        ) as rank
    from controlled
)

select
    ranked.counted_for,
    ranked.measure_id,
    told.measure_kind,
    told.scheme,
    told.measure_code,
    told.measure_name,
    ranked.counted_on,
    ranked.area_type,
    ranked.area_code,
    area.area_name,
    ranked.compared_with,
    ranked.comparator_type,
    ranked.comparator_code,
    comparator.area_name as comparator_name,
    cast(ranked.rank as integer) as rank,
    ranked.trait_kind,
    ranked.trait_code,
    cast(ranked.group_size as integer) as n_people,
    cast(ranked.n as integer) as n_with_trait,
    round(ranked.share, 4) as share,
    cast(ranked.rest_size as integer) as n_rest,
    cast(ranked.rest_n as integer) as n_rest_with_trait,
    round(ranked.rest_share, 4) as rest_share,
    round(ranked.share - ranked.rest_share, 4) as difference,
    ranked.standardised_difference,
    ranked.p_value,
    ranked.q_value,
    ranked.q_value <= {{ false_discovery_rate }} as is_different,
    cast(ranked.n_tested as integer) as n_tested
from ranked
inner join told
    on ranked.measure_id = told.measure_id
left join {{ ref('area_name') }} as area
    on ranked.area_type = area.area_type
    and ranked.area_code = area.area_code
left join {{ ref('area_name') }} as comparator
    on ranked.comparator_type = comparator.area_type
    and ranked.comparator_code = comparator.area_code
where ranked.rank <= {{ n_shown }}
