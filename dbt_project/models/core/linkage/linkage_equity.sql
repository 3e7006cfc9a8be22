{#- measure -> which records are asked, which of them count, whether a lower share is better -#}
{%- set measures = {
    'linked_share': ['not is_register', "match_method not in ('singleton', 'no_identity')", false],
    'missed_share': ['withheld_outcome is not null', "withheld_outcome in ('missed', 'review')", true],
    'false_share': ["withheld_outcome in ('right', 'wrong')", "withheld_outcome = 'wrong'", true],
    'review_share': ['not is_register', 'is_in_review', true],
    'changed_share': ['is_person_changed or linked_on < ' ~ as_of(), 'is_person_changed', true],
} -%}
{%- set characteristics = ['ethnic_group', 'deprivation_fifth', 'age_band', 'sex', 'name_structure', 'source'] -%}
with record as (
    select
        person_record.source,
        coalesce(person.ethnic_group, 'Not known') as ethnic_group,
        coalesce(cast((person.imd_decile + 1) // 2 as varchar), 'Not known') as deprivation_fifth,
        coalesce({{ broad_age_band('person.age_years') }}, 'Not known') as age_band,
        coalesce(person.sex, 'Not known') as sex,
        coalesce(nullif(person_record.name_structure, 'no_name'), 'Not known') as name_structure,
        person_record.match_method,
        person_record.linked_on,
        coalesce(person_record.is_register, false) as is_register,
        person_record.is_in_review,
        person_record.is_person_changed,
        person_record.withheld_outcome
    from {{ ref('person_record') }} as person_record
    inner join {{ ref('person') }} as person
        on person_record.person_id = person.person_id
),

-- the records once, then only counts of them
cell as (
    select
        {{ characteristics | join(', ') }},
        {%- for name, (asked, met, _) in measures.items() %}
        count(*) filter (where {{ asked }}) as {{ name }}_n,
        count(*) filter (where ({{ asked }}) and {{ met }}) as {{ name }}_k{{ ',' if not loop.last }}
        {%- endfor %}
    from record
    group by {{ characteristics | join(', ') }}
),

counted as (
    {%- for characteristic in characteristics %}
    {%- set outer_last = loop.last %}
    {%- for name, (_, _, is_lower_better) in measures.items() %}
    select
        '{{ characteristic }}' as characteristic,
        {{ characteristic }} as group_name,
        '{{ name }}' as measure,
        {{ is_lower_better }} as is_lower_better,
        {{ "'all'" if characteristic == 'source' else 'source' }} as stratum,
        sum({{ name }}_k) as k,
        sum({{ name }}_n) as n
    from cell
    group by all
    {{ 'union all' if not (loop.last and outer_last) }}
    {%- endfor %}
    {%- endfor %}
),

served as (
    select
        counted.*,
        case when is_lower_better then n - k else k end as n_served,
        sum(case when is_lower_better then n - k else k end) over everybody / nullif(sum(n) over everybody, 0) as everybodys_share
    from counted
    window everybody as (partition by characteristic, measure, stratum)
),

reference as (
    select
        served.characteristic,
        served.measure,
        served.stratum,
        served.n_served,
        served.n
    from served
    inner join {{ ref('linkage_equity_rule') }} as rule
        on served.characteristic = rule.characteristic
        and served.measure = rule.measure
        and served.group_name = rule.reference_group
),

-- what the reference group's share would be, did its records come from the same sources as the group's: a group known mostly to
-- sources that rarely send a number is not called badly served for that
compared as (
    select
        served.characteristic,
        served.group_name,
        served.measure,
        served.is_lower_better,
        sum(served.k) as numerator,
        sum(served.n) as denominator,
        sum(served.n_served) as n_served,
        sum(served.n * coalesce(reference.n_served / nullif(reference.n, 0), served.everybodys_share)) / sum(served.n)
            as reference_served
    from served
    left join reference
        on served.characteristic = reference.characteristic
        and served.measure = reference.measure
        and served.stratum = reference.stratum
    where served.n > 0
    group by
        served.characteristic,
        served.group_name,
        served.measure,
        served.is_lower_better
),

reference_size as (
    select
        characteristic,
        measure,
        sum(n) as n
    from reference
    group by characteristic, measure
),

bounded as (
    select
        compared.*,
        rule.reference_group,
        rule.lowest_ratio,
        compared.denominator < rule.minimum_denominator as is_small,
        reference_size.n >= rule.minimum_denominator and compared.group_name <> rule.reference_group as is_comparable,
        compared.n_served / compared.denominator as served_share,
        {{ wilson_low('compared.n_served', 'compared.denominator') }} as served_low,
        {{ wilson_high('compared.n_served', 'compared.denominator') }} as served_high,
        {{ wilson_low('compared.reference_served * reference_size.n', 'reference_size.n') }} as reference_low,
        {{ wilson_high('compared.reference_served * reference_size.n', 'reference_size.n') }} as reference_high
    from compared
    inner join {{ ref('linkage_equity_rule') }} as rule
        on compared.characteristic = rule.characteristic
        and compared.measure = rule.measure
    left join reference_size
        on compared.characteristic = reference_size.characteristic
        and compared.measure = reference_size.measure
),

ratio as (
    select
        *,
        case when is_comparable then served_share / nullif(reference_served, 0) end as ratio,
        case when is_comparable then
            {{ ratio_low('served_share', 'served_low', 'served_high', 'reference_served', 'reference_low', 'reference_high') }}
        end as ratio_low,
        case when is_comparable then
            {{ ratio_high('served_share', 'served_low', 'served_high', 'reference_served', 'reference_low', 'reference_high') }}
        end as ratio_high
    from bounded
)

select
    characteristic,
    group_name,
    measure,
    is_small,
    case when not is_small then cast(numerator as bigint) end as numerator,
    cast(denominator as bigint) as denominator,
    case when not is_small then round(numerator / denominator, 4) end as share,
    case when not is_small then round({{ wilson_low('numerator', 'denominator') }}, 4) end as share_low,
    case when not is_small then round({{ wilson_high('numerator', 'denominator') }}, 4) end as share_high,
    reference_group,
    case when not is_small and is_comparable
        then round(case when is_lower_better then 1 - reference_served else reference_served end, 4)
    end as reference_share,
    case when not is_small then round(ratio, 4) end as ratio,
    case when not is_small then round(ratio_low, 4) end as ratio_low,
    case when not is_small then round(ratio_high, 4) end as ratio_high,
    lowest_ratio,
    -- "not known" is often not known because the record is linked to nothing: it is shown, and holds nothing up
    coalesce(not is_small and group_name <> 'Not known' and ratio_high < lowest_ratio, false) as is_breach
from ratio
