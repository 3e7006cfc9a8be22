with met as (
    select
        met.*,
        component.name,
        component.superseded_by
    from {{ ref('score_component_met') }} as met
    inner join (
        select distinct
            component_set,
            component_code,
            name,
            superseded_by
        from {{ ref('score_component') }}
    ) as component
        on met.component_set = component.component_set
        and met.component_code = component.component_code
),

weighed as (
    select
        rule.score_code,
        met.person_id,
        met.component_code,
        met.name,
        cast(weight.weight as decimal(18, 9)) * cast(met.quantity as decimal(18, 4)) as points,
        met.last_date,
        met.codes
    from met
    inner join {{ ref('score_rule') }} as rule
        on met.component_set = rule.component_set
    inner join {{ ref('score_weight') }} as weight
        on rule.score_code = weight.score_code
        and met.component_code = weight.component_code
    left join met as severe
        on rule.combination = 'hierarchical_sum'
        and met.person_id = severe.person_id
        and met.component_set = severe.component_set
        and met.superseded_by = severe.component_code
    where severe.person_id is null
        and met.quantity <> 0
        -- a probability of readmission is of people who were admitted
        and (rule.combination <> 'logistic' or met.person_id in (select person_id from {{ ref('index_admission_term') }}))
),

added as (
    select
        score_code,
        person_id,
        sum(points) as points,
        {{ evidence_list(
            {'component': 'component_code', 'name': 'name', 'points': 'cast(points as double)', 'last_date': 'last_date', 'codes': 'codes'},
            order_by='points desc, component_code'
        ) }} as components
    from weighed
    group by
        score_code,
        person_id
),

counted as (
    select
        'polypharmacy' as score_code,
        person_id,
        cast(n_medicines as decimal(18, 9)) as points
    from {{ ref('medicine_count') }}

    union all

    select
        'long_term_condition_count' as score_code,
        condition.person_id,
        cast(count(*) as decimal(18, 9)) as points
    from {{ ref('person_condition') }} as condition
    inner join {{ ref('condition') }} as definition
        on condition.condition_code = definition.code
        and definition.is_long_term_condition
    where condition.is_active
    group by condition.person_id

    union all

    select
        'utilisation' as score_code,
        person_id,
        cast(sum(cast(cost_gbp as decimal(18, 2))) as decimal(18, 9)) as points
    from {{ ref('person_activity_month') }}
    where month_end > {{ month_end(date_plus('month', -12, as_of())) }}
    group by person_id
),

valued as (
    select
        person.person_id,
        rule.score_code,
        rule.version,
        case
            when rule.combination = 'logistic' and added.person_id is null then null
            when rule.combination = 'logistic' then 1 / (1 + exp(-(cast(added.points as double) + rule.base)))
            when rule.combination = 'share' then coalesce(cast(added.points as double), 0) / rule.divisor
            else cast(coalesce(added.points, counted.points, 0) as double)
        end as value,
        added.components,
        person.is_alive
        and (rule.derived_from_age is null or person.age_years >= rule.derived_from_age)
        and (rule.derived_to_age is null or person.age_years <= rule.derived_to_age) as is_within_limits,
        person.is_alive and person.is_registered as is_ranked
    from {{ ref('person') }} as person
    cross join {{ ref('score_rule') }} as rule
    left join added
        on person.person_id = added.person_id
        and rule.score_code = added.score_code
    left join counted
        on person.person_id = counted.person_id
        and rule.score_code = counted.score_code
    where rule.combination <> 'trained_model'

    union all

    -- no rows where no model is in use
    select
        person_id,
        score_code,
        version,
        value,
        components,
        is_within_limits,
        is_within_limits as is_ranked
    from {{ ref('risk_score') }}
),

-- a score is banded by its value or by the rank of it
scale as (
    select distinct
        score_code,
        basis
    from {{ ref('score_band') }}
),

-- a rank costs a sort of everybody: only scores that are banded by it get one
ranked as (
    select
        person_id,
        score_code,
        percent_rank() over (partition by score_code order by value) as rank_share
    from valued
    where is_ranked
        and score_code in (select score_code from scale where basis = 'rank_share')
),

placed as (
    select
        valued.*,
        case when scale.basis = 'value' then valued.value else ranked.rank_share end as banded_by
    from valued
    left join scale
        on valued.score_code = scale.score_code
    left join ranked
        on valued.person_id = ranked.person_id
        and valued.score_code = ranked.score_code
),

band as (
    select
        score_code,
        band,
        lower,
        is_lower_included,
        lead(lower) over by_order as upper,
        lead(is_lower_included) over by_order as is_upper_excluded
    from {{ ref('score_band') }}
    window by_order as (partition by score_code order by band_order)
)

select
    placed.person_id,
    placed.score_code,
    {{ as_of() }} as as_of,
    placed.value,
    band.band,
    placed.components,
    placed.is_within_limits,
    placed.version
from placed
left join band
    on placed.score_code = band.score_code
    and placed.banded_by is not null
    and (
        band.lower is null
        or placed.banded_by > band.lower
        or (band.is_lower_included and placed.banded_by = band.lower)
    )
    and (
        band.upper is null
        or placed.banded_by < band.upper
        or (not band.is_upper_excluded and placed.banded_by = band.upper)
    )
