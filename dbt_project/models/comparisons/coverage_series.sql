-- docs/onboarding.md has the formula. Three series of every measure: what was counted; what practices covered all along counted; and
-- the estimate for everybody, in which a practice stands in for itself in the months that it does not cover.
with month as (
    select distinct month_end
    from {{ ref('practice_coverage') }}
),

person as (
    select
        person.person_id,
        person.practice_code,
        person.counted_on as month_end,
        case when person.age_band < '20' then '00-19' when person.age_band < '45' then '20-44' when person.age_band < '65' then '45-64'
            when person.age_band < '80' then '65-79' when person.age_band < 'n' then '80+' else 'not_known' end as age_band,
        person.sex,
        person.is_direct_care_permitted,
        person.is_secondary_use_permitted
    from {{ ref('measured_person') }} as person
    inner join month
        on person.counted_on = month.month_end
),

measure as (
    select
        'activity' as measure_kind,
        measure_code,
        name as measure_name,
        setting
    from {{ ref('activity_measure') }}
    where counted <> 'cost_gbp'

    union all

    -- registers are what practices record
    select
        'condition' as measure_kind,
        code as measure_code,
        name as measure_name,
        'gp' as setting
    from {{ ref('condition') }}
),

counted_person as (
    select
        'activity' as measure_kind,
        rule.measure_code,
        activity.person_id,
        activity.month_end,
        case rule.counted when 'n_emergency' then activity.n_emergency else activity.n_contacts end as n
    from {{ ref('person_activity_month') }} as activity
    inner join {{ ref('activity_measure') }} as rule
        on activity.setting = rule.setting
        and rule.counted <> 'cost_gbp'

    union all

    select distinct
        'condition' as measure_kind,
        period.condition_code as measure_code,
        period.person_id,
        month.month_end,
        1 as n
    from {{ ref('condition_period') }} as period
    inner join month
        on (period.active_from is null or period.active_from <= month.month_end)
        and (period.active_to is null or period.active_to >= month.month_end)
),

population as (
    {% for purpose in counting_purposes() -%}
    select
        '{{ purpose }}' as counted_for,
        practice_code,
        month_end,
        age_band,
        sex,
        count(*) as population
    from person
    where is_{{ purpose }}_permitted
    group by practice_code, month_end, age_band, sex
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

event as (
    {% for purpose in counting_purposes() -%}
    select
        '{{ purpose }}' as counted_for,
        counted.measure_kind,
        counted.measure_code,
        person.practice_code,
        person.month_end,
        person.age_band,
        person.sex,
        sum(counted.n) as n
    from counted_person as counted
    inner join person
        on counted.person_id = person.person_id
        and counted.month_end = person.month_end
    where person.is_{{ purpose }}_permitted
    group by
        counted.measure_kind,
        counted.measure_code,
        person.practice_code,
        person.month_end,
        person.age_band,
        person.sex
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- months in which a setting is known of nobody (the newest of a monthly feed, for example) say nothing against its panel
served as (
    select
        setting,
        month_end,
        sum(share_covered) > 0 as is_served
    from {{ ref('practice_coverage') }}
    group by setting, month_end
),

panel as (
    select
        coverage.setting,
        coverage.practice_code,
        bool_and(coverage.share_covered >= 0.95) and count(*) > 0 as is_panel
    from {{ ref('practice_coverage') }} as coverage
    inner join served
        on coverage.setting = served.setting
        and coverage.month_end = served.month_end
        and served.is_served
    group by coverage.setting, coverage.practice_code
),

placed as (
    select
        population.*,
        coverage.setting,
        coverage.share_covered,
        coalesce(panel.is_panel, false) as is_panel
    from population
    inner join {{ ref('practice_coverage') }} as coverage
        on population.practice_code = coverage.practice_code
        and population.month_end = coverage.month_end
    left join panel
        on coverage.setting = panel.setting
        and coverage.practice_code = panel.practice_code
),

-- people whom the reference describes: those of practices covered all along; of those covered that month where there is no such
-- practice
exposed as (
    select
        counted_for,
        setting,
        month_end,
        age_band,
        sex,
        nullif(sum(population * share_covered) filter (where is_panel), 0) as population_panel,
        nullif(sum(population * share_covered), 0) as population_covered
    from placed
    group by counted_for, setting, month_end, age_band, sex
),

happened as (
    select
        event.counted_for,
        event.measure_kind,
        event.measure_code,
        event.month_end,
        event.age_band,
        event.sex,
        sum(event.n) filter (where panel.is_panel) as n_panel,
        sum(event.n) as n
    from event
    inner join measure
        on event.measure_kind = measure.measure_kind
        and event.measure_code = measure.measure_code
    left join panel
        on measure.setting = panel.setting
        and event.practice_code = panel.practice_code
    group by
        event.counted_for,
        event.measure_kind,
        event.measure_code,
        event.month_end,
        event.age_band,
        event.sex
),

reference as (
    select
        exposed.counted_for,
        measure.measure_kind,
        measure.measure_code,
        exposed.setting,
        exposed.month_end,
        exposed.age_band,
        exposed.sex,
        coalesce(
            coalesce(happened.n_panel, 0) / exposed.population_panel,
            coalesce(happened.n, 0) / exposed.population_covered
        ) as rate
    from exposed
    inner join measure
        on exposed.setting = measure.setting
    left join happened
        on exposed.counted_for = happened.counted_for
        and measure.measure_kind = happened.measure_kind
        and measure.measure_code = happened.measure_code
        and exposed.month_end = happened.month_end
        and exposed.age_band = happened.age_band
        and exposed.sex = happened.sex
),

expected as (
    select
        placed.counted_for,
        reference.measure_kind,
        reference.measure_code,
        placed.practice_code,
        placed.month_end,
        any_value(placed.share_covered) as share_covered,
        any_value(placed.is_panel) as is_panel,
        sum(placed.population) as population,
        -- nobody is expected to be anything while nothing is known of anybody
        sum(placed.population * reference.rate) as expected
    from placed
    inner join reference
        on placed.counted_for = reference.counted_for
        and placed.setting = reference.setting
        and placed.month_end = reference.month_end
        and placed.age_band = reference.age_band
        and placed.sex = reference.sex
    group by
        placed.counted_for,
        reference.measure_kind,
        reference.measure_code,
        placed.practice_code,
        placed.month_end
),

practice_month as (
    select
        expected.*,
        coalesce(counted.n, 0) as n
    from expected
    left join (
        select counted_for, measure_kind, measure_code, practice_code, month_end, sum(n) as n
        from event
        group by counted_for, measure_kind, measure_code, practice_code, month_end
    ) as counted
        on expected.counted_for = counted.counted_for
        and expected.measure_kind = counted.measure_kind
        and expected.measure_code = counted.measure_code
        and expected.practice_code = counted.practice_code
        and expected.month_end = counted.month_end
),

-- what a practice records beside what is expected of it, over the months that it covers
related as (
    select
        *,
        case
            when sum(share_covered * expected) over own >= 5
            then sum(n) filter (where share_covered > 0) over own / sum(share_covered * expected) over own
            else 1
        end as ratio
    from practice_month
    window own as (partition by counted_for, measure_kind, measure_code, practice_code)
),

estimated as (
    select
        *,
        n + (1 - share_covered) * expected * ratio as n_estimated
    from related
),

area as (
    select
        area_type,
        area_code,
        practice_code
    from {{ ref('area_practice') }}
    where counted_on = {{ as_of() }}
        and area_type in ('pcn', 'place', 'ics')
),

summed as (
    select
        estimated.counted_for,
        estimated.measure_kind,
        estimated.measure_code,
        area.area_type,
        area.area_code,
        estimated.month_end,
        sum(estimated.n) as n,
        sum(estimated.population) as population,
        sum(estimated.population * estimated.share_covered) as population_covered,
        sum(estimated.n) filter (where estimated.is_panel) as n_panel,
        sum(estimated.population) filter (where estimated.is_panel) as population_panel,
        -- NULL as soon as nothing can be expected of one practice
        case when bool_and(estimated.n_estimated is not null) then sum(estimated.n_estimated) end as n_estimated
    from estimated
    inner join area
        on estimated.practice_code = area.practice_code
    group by
        estimated.counted_for,
        estimated.measure_kind,
        estimated.measure_code,
        area.area_type,
        area.area_code,
        estimated.month_end
),

series as (
    select *, 'naive' as series, n as n_series, population as population_series from summed
    union all
    select *, 'fixed_panel' as series, n_panel as n_series, population_panel as population_series from summed
    union all
    select *, 'coverage_adjusted' as series, n_estimated as n_series, population as population_series from summed
)

select
    series.counted_for,
    series.measure_kind,
    series.measure_code,
    measure.measure_name,
    series.area_type,
    series.area_code,
    series.month_end,
    series.series,
    series.series = 'coverage_adjusted' as is_default,
    cast(round(series.n_series) as integer) as n,
    cast(coalesce(series.population_series, 0) as integer) as population,
    round(1000.0 * series.n_series / series.population_series, 3) as rate_per_1000,
    round(series.population_covered / series.population, 4) as share_covered
from series
inner join measure
    on series.measure_kind = measure.measure_kind
    and series.measure_code = measure.measure_code
