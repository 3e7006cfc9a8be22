{#- headline -> who counts as known, and the sources that say so -#}
{%- set headlines = {
    'emergency_department': ['is_known_to_emergency_department', "'acute_sus'"],
    'emergency_admission': ['is_admitted_as_emergency', "'acute_sus'"],
    'homelessness': ['is_homeless', "'housing', 'voluntary_sector'"],
} -%}
with activity as (
    select
        person_id,
        bool_or(setting = 'emergency_department' and n_contacts > 0) as is_known_to_emergency_department,
        bool_or(setting = 'inpatient' and n_emergency > 0) as is_admitted_as_emergency
    from {{ ref('person_activity_month') }}
    where month_end > {{ date_plus('month', -12, as_of()) }}
        and setting in ('emergency_department', 'inpatient')
    group by person_id
),

homeless as (
    select distinct person_record.person_id
    from {{ ref('housing_status') }} as housing_status
    inner join {{ ref('person_record') }} as person_record
        on housing_status.record_token = person_record.record_token
    where housing_status.is_homeless
        and (housing_status.started_on is null or housing_status.started_on <= {{ as_of() }})
        and (housing_status.ended_on is null or housing_status.ended_on > {{ date_plus('month', -12, as_of()) }})
),

person as (
    select
        person.person_id,
        coalesce(person.ethnic_group, 'Not known') as ethnic_group,
        person.is_registered,
        coalesce(activity.is_known_to_emergency_department, false) as is_known_to_emergency_department,
        coalesce(activity.is_admitted_as_emergency, false) as is_admitted_as_emergency,
        homeless.person_id is not null as is_homeless
    from {{ ref('person') }} as person
    left join activity
        on person.person_id = activity.person_id
    left join homeless
        on person.person_id = homeless.person_id
    where person.is_alive
),

-- of the records of a source that have no number and stand alone: the share that should have been linked. As many are missed as of
-- those whose number was withheld on trial, and no more than there are.
source_missed as (
    select
        source,
        least(
            1.0,
            count(*) filter (where withheld_outcome in ('missed', 'review')) / nullif(count(withheld_outcome), 0)
            * count(*) filter (where not has_number)
            / nullif(count(*) filter (where not has_number and match_method = 'singleton'), 0)
        ) as missed_share
    from {{ ref('person_record') }}
    group by source
),

alone as (
    select
        person_record.person_id,
        person_record.source,
        source_missed.missed_share
    from {{ ref('person_record') }} as person_record
    inner join source_missed
        on person_record.source = source_missed.source
    where person_record.match_method = 'singleton'
        and not person_record.has_number
),

counted as (
    {%- for headline, (is_known, sources) in headlines.items() %}
    select
        '{{ headline }}' as headline,
        person.ethnic_group,
        count(*) filter (where person.is_registered) as n_people,
        count(*) filter (where person.is_registered and person.{{ is_known }}) as n_known,
        coalesce(sum(alone.missed_share) filter (where person.{{ is_known }} and not person.is_registered), 0) as n_missed
    from person
    left join alone
        on person.person_id = alone.person_id
        and alone.source in ({{ sources }})
    group by person.ethnic_group
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

everybody as (
    select
        headline,
        ethnic_group,
        n_people,
        n_known,
        n_missed
    from counted

    union all

    select
        headline,
        'All' as ethnic_group,
        sum(n_people) as n_people,
        sum(n_known) as n_known,
        sum(n_missed) as n_missed
    from counted
    group by headline
)

-- few people with a headline are not told apart by group: the rate is hidden, the people counted
select
    headline,
    ethnic_group,
    cast(n_people as bigint) as n_people,
    n_known < 10 as is_small,
    case when n_known >= 10 then cast(n_known as bigint) end as n_known,
    case when n_known >= 10 then round(n_missed, 1) end as n_expected_missed,
    case when n_known >= 10 then round(1000.0 * n_known / n_people, 2) end as rate_per_1000,
    case when n_known >= 10 then round(1000.0 * (n_known + n_missed) / n_people, 2) end as adjusted_rate_per_1000
from everybody
