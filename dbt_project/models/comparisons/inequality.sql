{%- set area_keys = ['counted_for', 'measure_id', 'counted_on', 'area_type', 'area_code'] -%}
with cell as (
    select *
    from {{ ref('inequality_cell') }}
    where dimension = 'deprivation_decile'
),

decile as (
    {{ standardised_rates('cell', area_keys + ['group_code']) }}
),

counted as (
    select
        {{ area_keys | join(', ') }},
        group_code,
        sum(n) as n,
        sum(population) as population
    from cell
    group by {{ area_keys | join(', ') }}, group_code
),

known as (
    select
        {{ area_keys | join(', ') }},
        sum(n) as n,
        sum(population) as population,
        coalesce(sum(population) filter (where group_code = 'not_known'), 0) / sum(population) as share_not_known
    from counted
    group by {{ area_keys | join(', ') }}
),

-- each decile stands at the middle of its part of the population: 0 is the least deprived end, 1 the most deprived
ranked as (
    select
        {% for key in area_keys %}counted.{{ key }}, {% endfor %}
        decile.rate,
        decile.variance,
        counted.n,
        counted.population / sum(counted.population) over area as weight,
        (
            sum(counted.population) over (area order by counted.group_code desc) - counted.population / 2.0
        ) / sum(counted.population) over area as position
    from counted
    inner join decile
        on {% for key in area_keys + ['group_code'] %}counted.{{ key }} = decile.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
    where counted.group_code <> 'not_known'
    window area as (partition by {% for key in area_keys %}counted.{{ key }}{{ ', ' if not loop.last }}{% endfor %})
),

centred as (
    select
        *,
        position - sum(weight * position) over area as distance,
        sum(weight * position) over area as mean_position,
        sum(weight * position * position) over area - power(sum(weight * position) over area, 2) as spread
    from ranked
    window area as (partition by {{ area_keys | join(', ') }})
),

-- The line fitted by least squares weighs every rate with a number of its own, so that its variance follows from theirs. The fitted
-- rate at the end `e` is the sum of rate * weight * (1 + (e - mean_position) * distance / spread).
fitted as (
    select
        {{ area_keys | join(', ') }},
        count(*) as n_deciles,
        sum(n) as n,
        {{ settled('sum(rate * weight * distance / spread)', 12) }} as slope,
        {{ settled('sum(variance * power(weight * distance / spread, 2))', 15) }} as slope_variance,
        {%- for end, e in {'least': 0, 'most': 1}.items() %}
        {{ settled('sum(rate * weight * (1 + (' ~ e ~ ' - mean_position) * distance / spread))', 12) }} as {{ end }},
        {{ settled('sum(variance * power(weight * (1 + (' ~ e ~ ' - mean_position) * distance / spread), 2))', 15) }} as {{ end }}_variance,
        {%- endfor %}
        {{ settled('sum(
            variance * power(weight, 2) * (1 - mean_position * distance / spread) * (1 + (1 - mean_position) * distance / spread)
        )', 15) }} as covariance
    from centred
    where spread > 0
    group by {{ area_keys | join(', ') }}
),

judged as (
    select
        known.*,
        coalesce(fitted.n_deciles, 0) as n_deciles,
        case
            when coalesce(fitted.n_deciles, 0) < 5 then 'fewer_than_5_deciles'
            when fitted.n < 10 * fitted.n_deciles then 'fewer_than_10_a_decile'
        end as fault,
        fitted.slope,
        1.959963985 * sqrt(fitted.slope_variance) as slope_margin,
        case when fitted.least > 0 and fitted.most > 0 then fitted.most / fitted.least end as relative,
        case
            when fitted.least > 0 and fitted.most > 0 then 1.959963985 * sqrt(greatest(
                fitted.most_variance / power(fitted.most, 2)
                + fitted.least_variance / power(fitted.least, 2)
                - 2 * fitted.covariance / (fitted.most * fitted.least),
                0
            ))
        end as log_relative_margin
    from known
    left join fitted
        on {% for key in area_keys %}known.{{ key }} = fitted.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
)

select
    judged.counted_for,
    measure.measure_id,
    measure.measure_kind,
    measure.scheme,
    measure.measure_code,
    measure.measure_name,
    judged.counted_on,
    judged.counted_on = measure.counted_on as is_latest,
    judged.area_type,
    judged.area_code,
    area.area_name,
    cast(judged.n as integer) as n,
    cast(judged.population as integer) as population,
    cast(judged.n_deciles as integer) as n_deciles,
    round(judged.share_not_known, 4) as share_not_known,
    judged.fault,
    {%- for name, expression in {
        'slope_index_per_1000': '1000 * judged.slope',
        'slope_index_low': '1000 * (judged.slope - judged.slope_margin)',
        'slope_index_high': '1000 * (judged.slope + judged.slope_margin)',
        'relative_index': 'judged.relative',
        'relative_index_low': 'judged.relative * exp(-judged.log_relative_margin)',
        'relative_index_high': 'judged.relative * exp(judged.log_relative_margin)',
    }.items() %}
    round(case when judged.fault is null then {{ expression }} end, 4) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from judged
inner join {{ ref('measure') }} as measure
    on judged.measure_id = measure.measure_id
left join {{ ref('area_name') }} as area
    on judged.area_type = area.area_type
    and judged.area_code = area.area_code
