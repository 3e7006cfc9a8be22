{#- The rule of each definition in words, made from the fields of its seed rows, so that it cannot say what they do not. -#}
{%- set ages %}
case
    when min_age is not null and max_age is not null then 'aged ' || min_age || ' to ' || max_age
    when min_age is not null then 'aged ' || min_age || ' or over'
    when max_age is not null then 'aged ' || max_age || ' or under'
end
{%- endset -%}
with resolving as (
    select distinct codelist_id
    from {{ ref('codelist') }}
    where category = 'RESOLUTION'
),

register as (
    select
        rule.*,
        resolving.codelist_id is not null as has_resolution
    from {{ ref('register_rule') }} as rule
    left join resolving
        on rule.codelist_id = resolving.codelist_id
),

condition_line as (
    select
        condition_code as code,
        10 as line_number,
        'On the register' as part,
        'A code of ' || codelist_id || ' in the GP record'
        || coalesce(', recorded on or after ' || {{ written_date('counted_from') }}, '')
        || coalesce(', not older than ' || expires_after_days || ' days', '') || '.' as rule
    from register
    where codelist_id is not null

    union all

    select
        condition_code,
        11,
        'On the register',
        case when codelist_id is null then 'A' else 'Or a' end || ' code that begins with one of ' || codelist_elsewhere_id
        || ' in a hospital or mental health record.'
    from register
    where codelist_elsewhere_id is not null and evidence_elsewhere_counts

    union all

    select
        condition_code,
        12,
        'On the register',
        'Or a medicine of ' || medicine_codelist_id || ' issued in the last ' || medicine_months || ' months, without a diagnosis.'
    from register
    where medicine_role = 'alternative'

    union all

    select
        condition_code,
        13,
        'On the register',
        'The latest value of ' || measurement_codelist_id || ' is ' || {{ plain_number('measurement_at_least') }} || ' or more'
        || coalesce(
            ', ' || {{ plain_number('measurement_at_least_minority_ethnic') }} || ' or more in Black, Asian and other minority ethnic groups',
            ''
        ) || '.'
    from register
    where measurement_codelist_id is not null

    union all

    select
        condition_code,
        20,
        'Also asked for',
        'A medicine of ' || medicine_codelist_id || ' issued in the last ' || medicine_months || ' months.'
    from register
    where medicine_role = 'required'

    union all

    select
        condition_code,
        21,
        'Also asked for',
        'Aged ' || min_age || ' or over; what was recorded before counts from then on.'
    from register
    where min_age is not null

    union all

    select
        condition_code,
        22,
        'Also asked for',
        'Aged ' || min_age_at_onset || ' or over when it was first recorded.'
    from register
    where min_age_at_onset is not null

    union all

    select
        condition_code,
        30,
        'Off the register',
        case
            when not has_resolution and measurement_codelist_id is null then 'Nothing takes a person off: no code of resolution is listed.'
            when measurement_codelist_id is not null then 'A later value below the limit.'
            when same_day_resolution_wins then 'A code of resolution on the day of the latest diagnosis, or later.'
            else 'A code of resolution after the day of the latest diagnosis.'
        end
    from register

    union all

    select
        condition_code,
        40,
        'Supports only',
        'A code that begins with one of ' || codelist_elsewhere_id || ' in a hospital or mental health record is shown as a source and puts nobody on the register.'
    from register
    where codelist_elsewhere_id is not null and not evidence_elsewhere_counts
),

scheme_segment as (
    select
        *,
        count(*) over (partition by scheme) as n_segments,
        lag(name) over (partition by scheme order by rank) as segment_before
    from {{ ref('segment') }}
),

segment_line as (
    select
        rule.scheme || '_' || rule.segment_code as code,
        10 + rule.rule_order as line_number,
        coalesce('One rule of: ' || replace(rule.criterion, '_', ' '), 'In the segment by any of') as part,
        rule.name || ': ' || concat_ws(
            ', ',
            'on the register “' || condition.name || '”',
            rule.conditions_at_least || ' or more conditions of the list ' || replace(rule.condition_list, '_', ' '),
            rule.measure_at_least || ' or more of ' || replace(rule.measure, '_', ' ') || case rule.window_days when 1 then ' on the day' else ' in the last ' || rule.window_days || ' days' end,
            {{ ages | replace('min_age', 'rule.min_age') | replace('max_age', 'rule.max_age') }}
        ) || '.' as rule
    from {{ ref('segment_rule') }} as rule
    left join {{ ref('register_rule') }} as condition
        on rule.condition_code = condition.condition_code

    union all

    select
        scheme || '_' || code,
        1000,
        'Precedence',
        'Place ' || rank || ' of ' || n_segments || coalesce('; somebody who also meets “' || segment_before || '”, or a segment before it, counts there.', '.')
    from scheme_segment
),

score_band as (
    select
        band.*,
        lead(band.lower) over by_score as next_lower,
        lead(band.is_lower_included) over by_score as is_next_included
    from {{ ref('score_band') }} as band
    window by_score as (partition by band.score_code order by band.band_order)
),

score_line as (
    select
        score_code as code,
        1 as line_number,
        'Value' as part,
        case combination
            when 'sum' then 'The sum of the points of every component that is found.'
            when 'hierarchical_sum' then 'The sum of the points of every component that is found; a milder form counts nothing beside the severe one.'
            when 'share' then 'The components found, divided by ' || divisor || '.'
            when 'logistic' then 'The probability 1 / (1 + exp(-x)), x being ' || base || ' and the points of every component that is found.'
            when 'count' then 'A number of things, counted.'
            when 'trained_model' then 'The probability that a model trained here gives; table risk_model is its card.'
        end as rule,
        cast(null as double) as points
    from {{ ref('score_rule') }}

    union all

    select
        score_code,
        2,
        'Derived for',
        'People ' || {{ ages | replace('min_age', 'derived_from_age') | replace('max_age', 'derived_to_age') }}
        || '; a value of others is marked as outside the limits.',
        null
    from {{ ref('score_rule') }}
    where derived_from_age is not null or derived_to_age is not null

    union all

    select
        score_code,
        10 + band_order,
        'Band ' || replace(band, '_', ' '),
        case basis when 'rank_share' then 'Share of people with a lower value: ' else 'Value: ' end
        || concat_ws(
            ', ',
            case when is_lower_included then 'from ' else 'above ' end || {{ plain_number('lower') }},
            case when is_next_included then 'below ' else 'up to ' end || {{ plain_number('next_lower') }}
        ),
        null
    from score_band

    union all

    select
        rule.score_code,
        100 + row_number() over (partition by rule.score_code order by weight.weight desc, component.component_code),
        'Component',
        component.name || case when component.is_ascertained then '' else ' (not found: no codelist is shipped)' end,
        cast(weight.weight as double)
    from {{ ref('score_rule') }} as rule
    inner join (
        select
            component_set,
            component_code,
            min(name) as name,
            bool_or(kind <> 'not_ascertained') as is_ascertained
        from {{ ref('score_component') }}
        group by
            component_set,
            component_code
    ) as component
        on rule.component_set = component.component_set
    inner join {{ ref('score_weight') }} as weight
        on rule.score_code = weight.score_code
        and component.component_code = weight.component_code
),

cohort_line as (
    select
        cohort.cohort_code as code,
        10 as line_number,
        'In the cohort' as part,
        case cohort.kind
            when 'condition' then 'On the register “' || condition.name || '”'
            when 'score_band' then 'In the band “' || replace(cohort.band, '_', ' ') || '” of ' || score.name
            when 'codelist' then 'A code of the list ' || cohort.codelist_id || ' on any record'
                || coalesce(' in the last ' || cohort.within_months || ' months', '')
            else rtrim(cohort.description, '.')
        end
        || coalesce(', ' || {{ ages | replace('min_age', 'cohort.min_age') | replace('max_age', 'cohort.max_age') }}, '') || '.' as rule
    from {{ ref('cohort_rule') }} as cohort
    left join {{ ref('register_rule') }} as condition
        on cohort.condition_code = condition.condition_code
    left join {{ ref('score_rule') }} as score
        on cohort.score_code = score.score_code

    union all

    select
        cohort_code,
        20,
        'Alive',
        'Alive on the date of the release.'
    from {{ ref('cohort_rule') }}
)

select
    'condition' as kind,
    code,
    line_number,
    part,
    rule,
    cast(null as double) as points
from condition_line
union all
select
    'segment' as kind,
    code,
    line_number,
    part,
    rule,
    cast(null as double) as points
from segment_line
union all
select
    'score' as kind,
    code,
    cast(line_number as integer) as line_number,
    part,
    rule,
    points
from score_line
union all
select
    'cohort' as kind,
    code,
    line_number,
    part,
    rule,
    cast(null as double) as points
from cohort_line
