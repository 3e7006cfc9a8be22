{%- set own_keys = ['counted_for', 'measure_id', 'area_type', 'area_code'] -%}
{%- set pair_keys = own_keys + ['comparator_type', 'comparator_code'] -%}
with pair as (
    select
        measure.measure_id,
        pair.*
    from {{ ref('area_pair') }} as pair
    inner join {{ ref('measure') }} as measure
        on pair.counted_on = measure.counted_on
),

crude as (
    select
        {{ own_keys | join(', ') }},
        sum(n) as n,
        sum(population) as population
    from {{ ref('area_cell') }}
    group by {{ own_keys | join(', ') }}
),

standardised as (
    {{ standardised_rates(ref('area_cell'), own_keys) }}
),

-- an area is a part of its parent: it is set against the other part
rest_cell as (
    select
        whole.counted_for,
        pair.measure_id,
        pair.area_type,
        pair.area_code,
        pair.comparator_type,
        pair.comparator_code,
        whole.age_band,
        whole.sex,
        whole.n - coalesce(part.n, 0) as n,
        whole.population - coalesce(part.population, 0) as population
    from pair
    inner join {{ ref('area_cell') }} as whole
        on pair.measure_id = whole.measure_id
        and pair.comparator_type = whole.area_type
        and pair.comparator_code = whole.area_code
    left join {{ ref('area_cell') }} as part
        on whole.counted_for = part.counted_for
        and pair.measure_id = part.measure_id
        and pair.area_type = part.area_type
        and pair.area_code = part.area_code
        and whole.age_band = part.age_band
        and whole.sex = part.sex
),

rest as (
    {{ standardised_rates('rest_cell', pair_keys) }}
),

{% for name in ['standardised', 'rest'] -%}
{{ name }}_given as (
    select
        {{ (own_keys if name == 'standardised' else pair_keys) | join(', ') }},
        fault,
        case when fault is null then rate end as rate,
        case when fault is null then {{ dobson_low('rate', 'variance', 'n_standardised') }} end as low,
        case when fault is null then {{ dobson_high('rate', 'variance', 'n_standardised') }} end as high
    from (
        select
            *,
            {{ standardised_rate_fault('n_standardised', 'share_of_standard') }} as fault
        from {{ name }}
    ) as judged
),

{% endfor -%}
compared as (
    select
        crude.*,
        pair.comparator_type,
        pair.comparator_code,
        coalesce(pair.is_parent, false) as is_parent,
        own.rate,
        own.low,
        own.high,
        coalesce(own.fault, case when own.rate is null then 'fewer_than_10' end) as fault,
        whole.rate as comparator_rate,
        whole.low as comparator_low,
        whole.high as comparator_high,
        rest.rate as rest_rate,
        rest.low as rest_low,
        rest.high as rest_high
    from crude
    left join pair
        on crude.measure_id = pair.measure_id
        and crude.area_type = pair.area_type
        and crude.area_code = pair.area_code
    left join standardised_given as own
        on crude.counted_for = own.counted_for
        and crude.measure_id = own.measure_id
        and crude.area_type = own.area_type
        and crude.area_code = own.area_code
    left join standardised_given as whole
        on crude.counted_for = whole.counted_for
        and crude.measure_id = whole.measure_id
        and pair.comparator_type = whole.area_type
        and pair.comparator_code = whole.area_code
    left join rest_given as rest
        on crude.counted_for = rest.counted_for
        and crude.measure_id = rest.measure_id
        and crude.area_type = rest.area_type
        and crude.area_code = rest.area_code
        and pair.comparator_type = rest.comparator_type
        and pair.comparator_code = rest.comparator_code
),

-- rounded before they are judged: the order in which rates are added up must not decide
ratio as (
    select
        compared.*,
        round(rate / nullif(rest_rate, 0), 4) as ratio,
        round({{ ratio_low('rate', 'low', 'high', 'rest_rate', 'rest_low', 'rest_high') }}, 4) as ratio_low,
        round({{ ratio_high('rate', 'low', 'high', 'rest_rate', 'rest_low', 'rest_high') }}, 4) as ratio_high
    from compared
)

select
    ratio.counted_for,
    measure.measure_id,
    measure.measure_kind,
    measure.scheme,
    measure.measure_code,
    measure.measure_name,
    measure.counted_on,
    ratio.area_type,
    ratio.area_code,
    area.area_name,
    ratio.comparator_type,
    ratio.comparator_code,
    comparator.area_name as comparator_name,
    ratio.is_parent,
    cast(ratio.n as integer) as n,
    cast(ratio.population as integer) as population,
    round(1000.0 * ratio.n / ratio.population, 3) as crude_rate_per_1000,
    round(1000 * {{ wilson_low('ratio.n', 'ratio.population') }}, 3) as crude_rate_low,
    round(1000 * {{ wilson_high('ratio.n', 'ratio.population') }}, 3) as crude_rate_high,
    round(1000 * ratio.rate, 3) as standardised_rate_per_1000,
    round(1000 * ratio.low, 3) as standardised_rate_low,
    round(1000 * ratio.high, 3) as standardised_rate_high,
    ratio.fault as standardised_rate_fault,
    round(1000 * ratio.comparator_rate, 3) as comparator_rate_per_1000,
    round(1000 * ratio.comparator_low, 3) as comparator_rate_low,
    round(1000 * ratio.comparator_high, 3) as comparator_rate_high,
    round(1000 * ratio.rest_rate, 3) as rest_rate_per_1000,
    ratio.ratio as ratio_to_rest,
    ratio.ratio_low,
    ratio.ratio_high,
    case
        when ratio.ratio is null then 'not_compared'
        when ratio.ratio_low > 1 then 'higher'
        when ratio.ratio_high < 1 then 'lower'
        else 'similar'
    end as comparison
from ratio
inner join {{ ref('measure') }} as measure
    on ratio.measure_id = measure.measure_id
left join {{ ref('area_name') }} as area
    on ratio.area_type = area.area_type
    and ratio.area_code = area.area_code
left join {{ ref('area_name') }} as comparator
    on ratio.comparator_type = comparator.area_type
    and ratio.comparator_code = comparator.area_code
