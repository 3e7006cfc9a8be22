{%- set most_reasons = 5 -%}
{%- set least_points = 0.05 -%}
with model as (
    select
        version,
        intercept
    from {{ ref('risk_model') }}
    where is_in_use
),

term as (
    select
        term.feature,
        term.term_code,
        cast(term.coefficient as decimal(18, 9)) as coefficient,
        term.coefficient * term.mean as mean_points
    from {{ ref('risk_model_term') }} as term
    inner join model
        on term.version = model.version
),

-- what a feature adds for somebody like the average of those the model was trained on
average as (
    select
        feature,
        sum(cast(mean_points as decimal(18, 9))) as points
    from term
    group by feature
),

weighed as (
    select
        value.person_id,
        value.feature,
        sum(term.coefficient * value.value) as points
    from {{ ref('risk_term_value') }} as value
    inner join term
        on value.term_code = term.term_code
    group by
        value.person_id,
        value.feature
),

total as (
    select
        person_id,
        sum(points) as points
    from weighed
    group by person_id
),

-- why more likely than the average: the features that add most beyond it
strongest as (
    select
        weighed.person_id,
        weighed.feature,
        cast(weighed.points - average.points as decimal(18, 3)) as points_beyond
    from weighed
    inner join average
        on weighed.feature = average.feature
    inner join {{ ref('risk_reason') }} as words
        on weighed.feature = words.feature
    where points_beyond >= {{ least_points }}
    qualify row_number() over (
        partition by weighed.person_id
        order by points_beyond desc, weighed.feature
    ) <= {{ most_reasons }}
),

reason as (
    select
        strongest.person_id,
        strongest.feature,
        strongest.points_beyond,
        case
            when fact.quantity = 1 then words.words_one
            else replace(words.words_many, '{n}', {{ number_in_words('cast(fact.quantity as integer)') }})
        end as words
    from strongest
    inner join {{ unpivoted(ref('risk_feature'), ['person_id', 'as_of']) }} as fact
        on strongest.person_id = fact.person_id
        and strongest.feature = fact.feature
    inner join {{ ref('risk_reason') }} as words
        on strongest.feature = words.feature
),

explained as (
    select
        person_id,
        {{ evidence_list(
            {
                'component': 'feature', 'name': 'words', 'points': 'cast(points_beyond as double)', 'last_date': 'cast(null as date)',
                'codes': 'cast(null as varchar)'
            },
            order_by='points_beyond desc, feature'
        ) }} as components
    from reason
    group by person_id
)

select
    person.person_id,
    'local_emergency_admission_12m' as score_code,
    case
        when candidate.person_id is not null
            then 1 / (1 + exp(-(coalesce(cast(total.points as double), 0) + model.intercept)))
    end as value,
    explained.components,
    candidate.person_id is not null as is_within_limits,
    model.version
from {{ ref('person') }} as person
cross join model
left join {{ ref('risk_feature') }} as candidate
    on person.person_id = candidate.person_id
left join total
    on person.person_id = total.person_id
left join explained
    on person.person_id = explained.person_id
