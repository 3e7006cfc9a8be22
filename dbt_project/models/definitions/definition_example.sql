{#- Somebody made up for each definition, and what the rule makes of them. Registers are worked out by the very SQL that makes them. -#}
with listed as (
    select
        codelist_id,
        arg_min(code, code) filter (where category = 'INCLUSION') as code,
        arg_min(term, code) filter (where category = 'INCLUSION') as term,
        arg_min(code, code) filter (where category = 'RESOLUTION') as resolution_code,
        arg_min(term, code) filter (where category = 'RESOLUTION') as resolution_term
    from {{ ref('codelist') }}
    group by codelist_id
),

fact as (
    -- the diagnosis: where it was coded first, and where it only supports
    select
        rule.condition_code,
        'diagnosis' as basis,
        date '2015-03-10' as event_date,
        'The GP records ' || coalesce(listed.term || ' (' || listed.code || ')', listed.code) as what,
        1 as n_inclusions,
        0 as n_resolutions,
        {{ date_plus('day', 'rule.expires_after_days', "date '2015-03-10'") }} as expires_on
    from {{ ref('register_rule') }} as rule
    inner join listed
        on rule.codelist_id = listed.codelist_id

    union all

    select
        rule.condition_code,
        'diagnosis',
        date '2017-05-02',
        'A hospital records ' || coalesce(listed.term, listed.code)
        || case when rule.evidence_elsewhere_counts then '' else ', which only supports the diagnosis' end,
        case when rule.evidence_elsewhere_counts then 1 else 0 end,
        0,
        {{ date_plus('day', 'rule.expires_after_days', "date '2017-05-02'") }}
    from {{ ref('register_rule') }} as rule
    inner join listed
        on rule.codelist_elsewhere_id = listed.codelist_id

    union all

    select
        rule.condition_code,
        'measurement',
        value.event_date,
        'The GP records a value of ' || {{ plain_number('rule.measurement_at_least + value.beyond') }},
        case when value.beyond >= 0 then 1 else 0 end,
        case when value.beyond < 0 then 1 else 0 end,
        cast(null as date)
    from {{ ref('register_rule') }} as rule
    cross join (values (date '2015-03-10', 0), (date '2022-10-04', -1)) as value (event_date, beyond)
    where rule.measurement_codelist_id is not null

    union all

    select
        rule.condition_code,
        'medicine',
        date '2020-06-15',
        'The GP issues ' || coalesce(listed.term, listed.code),
        1,
        0,
        {{ date_plus('month', 'rule.medicine_months', "date '2020-06-15'") }}
    from {{ ref('register_rule') }} as rule
    inner join listed
        on rule.medicine_codelist_id = listed.codelist_id

    union all

    select
        rule.condition_code,
        'diagnosis',
        date '2023-09-20',
        'The GP records ' || coalesce(listed.resolution_term || ' (' || listed.resolution_code || ')', listed.resolution_code),
        0,
        1,
        cast(null as date)
    from {{ ref('register_rule') }} as rule
    inner join listed
        on rule.codelist_id = listed.codelist_id
    where listed.resolution_code is not null
),

-- born so that an age limit, if there is one, is met two years after the diagnosis
patient as (
    select
        condition_code as person_id,
        coalesce(
            {{ date_plus('year', '-(min_age - 2)', "date '2015-01-01'") }},
            date '1960-01-01'
        ) as birth_month
    from {{ ref('register_rule') }}
),

evidence as (
    select
        *,
        condition_code as person_id,
        cast([] as varchar[]) as sources
    from fact
),

period as (
    {{ condition_periods('evidence', ref('register_rule'), 'patient') | indent(4) }}
),

on_register as (
    select
        condition_code,
        string_agg(
            'from ' || {{ written_date('active_from') }}
            || coalesce(' to ' || {{ written_date('active_to') }}, ' on'),
            ', and '
            order by active_from
        ) as periods
    from (select distinct condition_code, active_from, active_to from period) as distinct_period
    group by condition_code
),

condition_line as (
    select
        condition_code as code,
        1 as line_number,
        cast(null as date) as event_date,
        'Born in ' || strftime(patient.birth_month, '%B %Y') as what
    from {{ ref('register_rule') }} as rule
    inner join patient
        on rule.condition_code = patient.person_id

    union all

    select
        condition_code,
        10 + row_number() over (partition by condition_code order by event_date, basis),
        event_date,
        what
    from fact

    union all

    select
        rule.condition_code,
        100,
        cast(null as date),
        'So on the register ' || coalesce(on_register.periods, 'never') || '.'
    from {{ ref('register_rule') }} as rule
    left join on_register
        on rule.condition_code = on_register.condition_code
),

ranked_segment as (
    select
        segment.*,
        lag(name) over by_rank as segment_before,
        lead(name) over by_rank as segment_after,
        lead(rank) over by_rank is null as is_last
    from {{ ref('segment') }} as segment
    window by_rank as (partition by scheme order by rank)
),

first_rule as (
    select
        scheme,
        segment_code,
        string_agg('“' || name || '”', ' and ' order by rule_order) as name
    from (
        select
            scheme,
            segment_code,
            arg_min(name, rule_order) as name,
            min(rule_order) as rule_order
        from {{ ref('segment_rule') }}
        group by
            scheme,
            segment_code,
            criterion
    ) as one_of_each_criterion
    group by
        scheme,
        segment_code
),

segment_line as (
    select
        segment.scheme || '_' || segment.code as code,
        1 as line_number,
        cast(null as date) as event_date,
        coalesce('Somebody who meets ' || first_rule.name, 'Somebody who meets no rule of the scheme')
        || ' is in “' || segment.name || '”'
        || case when segment.is_last then '.' else ', whether or not they meet “' || segment.segment_after || '” too.' end as what
    from ranked_segment as segment
    left join first_rule
        on segment.scheme = first_rule.scheme
        and segment.code = first_rule.segment_code

    union all

    select
        scheme || '_' || code,
        2,
        cast(null as date),
        'If they meet “' || segment_before || '” too, they are counted there, and “' || name || '” is kept beside it.'
    from ranked_segment
    where segment_before is not null
        and not is_last
),

-- the heaviest components: nine of a share, which make a band; two of a sum
heaviest as (
    select
        rule.score_code,
        component.name,
        cast(weight.weight as double) as points,
        row_number() over (partition by rule.score_code order by weight.weight desc, component.component_code) as place,
        case rule.combination when 'share' then 9 else 2 end as n_taken
    from {{ ref('score_rule') }} as rule
    inner join (
        select
            component_set,
            component_code,
            min(name) as name
        from {{ ref('score_component') }}
        where superseded_by is null
            and kind <> 'not_ascertained'
        group by
            component_set,
            component_code
    ) as component
        on rule.component_set = component.component_set
    inner join {{ ref('score_weight') }} as weight
        on rule.score_code = weight.score_code
        and component.component_code = weight.component_code
),

added as (
    select
        heaviest.score_code,
        string_agg(heaviest.name || ' (' || {{ plain_number('heaviest.points') }} || ')', ', ' order by heaviest.place) as components,
        case any_value(rule.combination)
            when 'share' then round(sum(heaviest.points) / any_value(rule.divisor), 3)
            when 'logistic' then round(1 / (1 + exp(-(any_value(rule.base) + sum(heaviest.points)))), 3)
            else round(sum(heaviest.points), 3)
        end as value
    from heaviest
    inner join {{ ref('score_rule') }} as rule
        on heaviest.score_code = rule.score_code
    where heaviest.place <= heaviest.n_taken
    group by heaviest.score_code
),

score_line as (
    select
        added.score_code as code,
        1 as line_number,
        cast(null as date) as event_date,
        'Somebody with ' || added.components || ' has the value ' || {{ plain_number('added.value') }}
        || coalesce(', band ' || replace(arg_max(band.band, band.band_order), '_', ' '), '') || '.' as what
    from added
    left join {{ ref('score_band') }} as band
        on added.score_code = band.score_code
        and band.basis = 'value'
        and (
            band.lower is null
            or added.value > band.lower
            or (added.value = band.lower and band.is_lower_included)
        )
    group by
        added.score_code,
        added.components,
        added.value

    union all

    select
        rule.score_code,
        cast(10 + band.band_order as integer),
        cast(null as date),
        case band.basis
            when 'rank_share' then 'Whoever has a higher value than ' || {{ plain_number('100 * band.lower') }} || ' per cent of people'
            else 'Somebody with a value of ' || {{ plain_number('band.lower') }}
        end || ' is in the band ' || replace(band.band, '_', ' ') || '.'
    from {{ ref('score_rule') }} as rule
    inner join {{ ref('score_band') }} as band
        on rule.score_code = band.score_code
    where rule.combination = 'count'
        and band.lower is not null
),

cohort_line as (
    select
        cohort.cohort_code as code,
        1 as line_number,
        cast(null as date) as event_date,
        'Somebody '
        || coalesce('aged ' || coalesce(cohort.min_age, cohort.max_age) || ' ', '')
        || case cohort.kind
            when 'condition' then 'on the register “' || condition.name || '”'
            when 'codelist' then 'with a code of ' || cohort.codelist_id
            else 'in the band “' || replace(cohort.band, '_', ' ') || '” of ' || score.name
        end
        || ' is in it from the day they entered it, and leaves it when they are no longer.' as what
    from {{ ref('cohort_rule') }} as cohort
    left join {{ ref('register_rule') }} as condition
        on cohort.condition_code = condition.condition_code
    left join {{ ref('score_rule') }} as score
        on cohort.score_code = score.score_code
    where cohort.kind <> 'model'

    union all

    select
        cohort_code,
        2,
        cast(null as date),
        'Somebody aged ' || (min_age - 1) || ' is not, whatever is recorded of them.'
    from {{ ref('cohort_rule') }}
    where min_age is not null
        and kind <> 'model'

    union all

    select
        cohort_code,
        line_number,
        cast(null as date),
        what
    from {{ ref('cohort_example') }}
)

{% for kind in ['condition', 'segment', 'score', 'cohort'] %}
select
    '{{ kind }}' as kind,
    code,
    cast(line_number as integer) as line_number,
    event_date,
    what
from {{ kind }}_line
{{ 'union all' if not loop.last }}
{% endfor %}
