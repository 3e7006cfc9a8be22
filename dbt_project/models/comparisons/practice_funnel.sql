{#- standard deviations of the two limits: 95 % and 99.8 % of practices lie within when all differences are chance -#}
{%- set limits = {'95': 1.959963985, '998': 3.090232306} -%}
with practice as (
    select
        pair.counted_on,
        pair.area_code as practice_code,
        pair.comparator_code as ics_code
    from {{ ref('area_pair') }} as pair
    where pair.area_type = 'practice'
        and pair.comparator_type = 'ics'
),

-- what a practice's number would be with its own ages and sexes and everybody's shares
expected as (
    select
        own.counted_for,
        own.measure_id,
        practice.ics_code,
        practice.practice_code,
        sum(own.n) as n,
        sum(own.population) as population,
        {{ settled('sum(own.population * (everybody.n / everybody.population))', 9) }} as expected,
        {{ settled('sum(own.population * (everybody.n / everybody.population) * (1 - everybody.n / everybody.population))', 9) }} as variance,
        {{ settled('sum(
            own.population * (everybody.n / everybody.population)
            * (1 - everybody.n / everybody.population) * (1 - 2 * everybody.n / everybody.population)
        )', 9) }} as third_moment
    from {{ ref('area_cell') }} as own
    inner join {{ ref('measure') }} as measure
        on own.measure_id = measure.measure_id
    inner join practice
        on own.area_code = practice.practice_code
        and measure.counted_on = practice.counted_on
    inner join {{ ref('area_cell') }} as everybody
        on own.counted_for = everybody.counted_for
        and own.measure_id = everybody.measure_id
        and everybody.area_type = 'ics'
        and practice.ics_code = everybody.area_code
        and own.age_band = everybody.age_band
        and own.sex = everybody.sex
    where own.area_type = 'practice'
    group by
        own.counted_for,
        own.measure_id,
        practice.ics_code,
        practice.practice_code
),

-- nothing to compare where nobody, or everybody, is expected
placed as (
    select
        expected.*,
        round({{ funnel_z('n', 'expected', 'variance', 'third_moment') }}, 6) as z
    from expected
    where variance > 1e-9
),

tenth as (
    select
        counted_for,
        measure_id,
        ics_code,
        quantile_cont(z, 0.1) as lowest,
        quantile_cont(z, 0.9) as highest
    from placed
    group by
        counted_for,
        measure_id,
        ics_code
),

-- the outermost tenths are pulled in to where the others end, so that an outlier does not hide itself by widening the limits
spread as (
    select
        placed.counted_for,
        placed.measure_id,
        placed.ics_code,
        count(*) as n_practices,
        round(avg(power(least(greatest(placed.z, tenth.lowest), tenth.highest), 2)), 6) as dispersion,
        sum(placed.n) / sum(placed.population) as crude_rate
    from placed
    inner join tenth
        on placed.counted_for = tenth.counted_for
        and placed.measure_id = tenth.measure_id
        and placed.ics_code = tenth.ics_code
    group by
        placed.counted_for,
        placed.measure_id,
        placed.ics_code
),

-- more spread than chance gives is believed when it is beyond two standard deviations of what chance gives it
inflated as (
    select
        *,
        case when dispersion > 1 + 2 * sqrt(2.0 / n_practices) then sqrt(dispersion) else 1 end as inflation
    from spread
),

bounded as (
    select
        placed.*,
        inflated.n_practices,
        inflated.dispersion,
        inflated.inflation,
        inflated.crude_rate,
        {%- for name, z in limits.items() %}
        {{ funnel_limit('placed.expected', 'placed.variance', 'placed.third_moment', '-' ~ z ~ ' * inflated.inflation') }}
            / placed.expected as ratio_low_{{ name }},
        {{ funnel_limit('placed.expected', 'placed.variance', 'placed.third_moment', z ~ ' * inflated.inflation') }}
            / placed.expected as ratio_high_{{ name }},
        {%- endfor %}
        round(placed.z / inflated.inflation, 4) as adjusted_z
    from placed
    inner join inflated
        on placed.counted_for = inflated.counted_for
        and placed.measure_id = inflated.measure_id
        and placed.ics_code = inflated.ics_code
)

select
    bounded.counted_for,
    measure.measure_id,
    measure.measure_kind,
    measure.scheme,
    measure.measure_code,
    measure.measure_name,
    measure.counted_on,
    bounded.practice_code,
    practice_name.area_name as practice_name,
    bounded.ics_code,
    cast(bounded.n as integer) as n,
    cast(bounded.population as integer) as population,
    round(bounded.expected, 3) as expected,
    round(bounded.n / bounded.expected, 4) as ratio,
    {%- for name in limits %}
    round(bounded.ratio_low_{{ name }}, 4) as ratio_low_{{ name }},
    round(bounded.ratio_high_{{ name }}, 4) as ratio_high_{{ name }},
    {%- endfor %}
    round(1000 * bounded.crude_rate * bounded.n / bounded.expected, 3) as adjusted_rate_per_1000,
    round(1000 * bounded.crude_rate, 3) as ics_rate_per_1000,
    bounded.adjusted_z,
    round(bounded.dispersion, 4) as dispersion,
    bounded.inflation > 1 as is_overdispersed,
    cast(bounded.n_practices as integer) as n_practices,
    case
        when bounded.adjusted_z > {{ limits['998'] }} then 'high_998'
        when bounded.adjusted_z > {{ limits['95'] }} then 'high_95'
        when bounded.adjusted_z < -{{ limits['998'] }} then 'low_998'
        when bounded.adjusted_z < -{{ limits['95'] }} then 'low_95'
        else 'within'
    end as position
from bounded
inner join {{ ref('measure') }} as measure
    on bounded.measure_id = measure.measure_id
left join {{ ref('area_name') }} as practice_name
    on practice_name.area_type = 'practice'
    and bounded.practice_code = practice_name.area_code
