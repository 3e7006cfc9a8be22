{%- set area_keys = ['counted_for', 'measure_id', 'area_type', 'area_code', 'dimension'] -%}
{%- set group_keys = area_keys + ['group_code'] -%}
{#- dimension -> the group that the others are set against -#}
{%- set references = {'deprivation_decile': '10', 'ethnic_group': 'White'} -%}
with cell as (
    select
        cell.*,
        case cell.dimension {% for dimension, group in references.items() %}when '{{ dimension }}' then '{{ group }}' {% endfor %}end
            as reference_group
    from {{ ref('inequality_cell') }} as cell
    inner join {{ ref('measure') }} as measure
        on cell.measure_id = measure.measure_id
        and cell.counted_on = measure.counted_on
),

standardised as (
    {{ standardised_rates('cell', group_keys) }}
),

-- the rate of the reference group at each age and sex; everybody's, where it has nobody
reference_cell as (
    select
        {{ area_keys | join(', ') }},
        age_band,
        sex,
        sum(population) filter (where group_code = reference_group) as reference_population,
        coalesce(
            sum(n) filter (where group_code = reference_group) / sum(population) filter (where group_code = reference_group),
            sum(n) / sum(population)
        ) as rate
    from cell
    group by {{ area_keys | join(', ') }}, age_band, sex
),

-- indirect standardisation: small groups lack people of many ages, and a direct rate would need them all
counted as (
    select
        {% for key in group_keys %}cell.{{ key }}, {% endfor %}
        cell.reference_group,
        sum(cell.n) as n,
        sum(cell.population) as population,
        {{ settled('sum(cell.population * reference.rate)', 9) }} as expected,
        {{ settled('sum(
            power(cell.population, 2) * reference.rate * (1 - reference.rate)
            / coalesce(reference.reference_population, cell.population)
        )', 9) }} as expected_variance
    from cell
    inner join reference_cell as reference
        on {% for key in area_keys %}cell.{{ key }} = reference.{{ key }} and {% endfor %}cell.age_band = reference.age_band
        and cell.sex = reference.sex
    group by {% for key in group_keys %}cell.{{ key }}, {% endfor %}cell.reference_group
),

shared as (
    select
        counted.*,
        population / sum(population) over area as share_of_population,
        n / nullif(sum(n) over area, 0) as share_of_members,
        sum(population) filter (where group_code = 'not_known') over area / sum(population) over area as share_not_known,
        sum(n) filter (where group_code = reference_group) over area as reference_n
    from counted
    window area as (partition by {{ area_keys | join(', ') }})
),

bounded as (
    select
        shared.*,
        {{ standardised_rate_fault('standardised.n_standardised', 'standardised.share_of_standard') }} as fault,
        standardised.rate,
        {{ dobson_low('standardised.rate', 'standardised.variance', 'standardised.n_standardised') }} as low,
        {{ dobson_high('standardised.rate', 'standardised.variance', 'standardised.n_standardised') }} as high,
        {{ byar_low('shared.n') }} as n_low,
        {{ byar_high('shared.n') }} as n_high,
        greatest(shared.expected - 1.959963985 * sqrt(shared.expected_variance), 0) as expected_low,
        shared.expected + 1.959963985 * sqrt(shared.expected_variance) as expected_high,
        shared.group_code <> shared.reference_group and shared.reference_n >= 10 and shared.expected > 0 as is_compared
    from shared
    left join standardised
        on {% for key in group_keys %}shared.{{ key }} = standardised.{{ key }}{{ ' and ' if not loop.last }}{% endfor %}
)

select
    bounded.counted_for,
    measure.measure_id,
    measure.measure_kind,
    measure.scheme,
    measure.measure_code,
    measure.measure_name,
    measure.counted_on,
    bounded.area_type,
    bounded.area_code,
    area.area_name,
    bounded.dimension,
    bounded.group_code,
    cast(bounded.n as integer) as n,
    cast(bounded.population as integer) as population,
    round(bounded.share_of_population, 4) as share_of_population,
    round(bounded.share_of_members, 4) as share_of_members,
    round(coalesce(bounded.share_not_known, 0), 4) as share_not_known,
    round(1000.0 * bounded.n / bounded.population, 3) as crude_rate_per_1000,
    round(1000 * {{ wilson_low('bounded.n', 'bounded.population') }}, 3) as crude_rate_low,
    round(1000 * {{ wilson_high('bounded.n', 'bounded.population') }}, 3) as crude_rate_high,
    round(1000 * case when bounded.fault is null then bounded.rate end, 3) as standardised_rate_per_1000,
    round(1000 * case when bounded.fault is null then bounded.low end, 3) as standardised_rate_low,
    round(1000 * case when bounded.fault is null then bounded.high end, 3) as standardised_rate_high,
    bounded.fault as standardised_rate_fault,
    bounded.reference_group,
    round(case when bounded.is_compared then bounded.n / bounded.expected end, 4) as ratio,
    round(
        case when bounded.is_compared then {{ ratio_low('n', 'n_low', 'n_high', 'expected', 'expected_low', 'expected_high') }} end, 4
    ) as ratio_low,
    round(
        case when bounded.is_compared then {{ ratio_high('n', 'n_low', 'n_high', 'expected', 'expected_low', 'expected_high') }} end, 4
    ) as ratio_high
from bounded
inner join {{ ref('measure') }} as measure
    on bounded.measure_id = measure.measure_id
left join {{ ref('area_name') }} as area
    on bounded.area_type = area.area_type
    and bounded.area_code = area.area_code
