with latest_month as (
    select counted_on
    from {{ ref('count_day') }}
    where is_latest_month_end
),

member as (
    select
        {{ measure_id("'condition'", 'null', 'condition_code') }} as measure_id,
        person_id
    from {{ ref('person_condition') }}
    where is_active

    union all

    select
        {{ measure_id("'cohort'", 'null', 'cohort_code') }} as measure_id,
        person_id
    from {{ ref('person_cohort') }}
    where exited_on is null

    union all

    select
        {{ measure_id("'segment'", 'segment.scheme', 'segment.segment_code') }} as measure_id,
        segment.person_id
    from {{ ref('person_segment') }} as segment
    inner join latest_month
        on segment.month_end = latest_month.counted_on

    union all

    select distinct
        {{ measure_id("'activity'", 'null', 'measure.measure_code') }} as measure_id,
        activity.person_id
    from {{ ref('person_activity_month') }} as activity
    cross join latest_month
    inner join {{ ref('activity_measure') }} as measure
        on activity.setting = measure.setting
        and case measure.counted
            when 'n_contacts' then activity.n_contacts
            when 'n_emergency' then activity.n_emergency
            when 'cost_gbp' then activity.cost_gbp
        end > 0
    where activity.month_end <= latest_month.counted_on
        and activity.month_end > {{ month_end(dbt.dateadd('month', -12, 'latest_month.counted_on')) }}
)

select
    measure.counted_on,
    member.measure_id,
    person.person_id,
    person.practice_code,
    person.age_band,
    person.sex,
    person.ethnic_group,
    person.deprivation_decile,
    person.is_direct_care_permitted,
    person.is_secondary_use_permitted
from member
inner join {{ ref('measure') }} as measure
    on member.measure_id = measure.measure_id
inner join {{ ref('measured_person') }} as person
    on member.person_id = person.person_id
    and measure.counted_on = person.counted_on
