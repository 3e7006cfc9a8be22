with contact as (
    select
        person_record.person_id,
        {{ month_end('encounter.started_at') }} as month_end,
        encounter.setting,
        cast(count(*) filter (where encounter.is_attended is distinct from false) as integer) as n_contacts,
        cast(count(*) filter (where encounter.is_attended is distinct from false and encounter.is_emergency) as integer) as n_emergency,
        sum(encounter.cost_gbp) as cost_gbp
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.started_at < {{ date_plus('day', 1, as_of()) }}
        and encounter.started_at >= {{ activity_starts_on() }}
    group by
        person_record.person_id,
        {{ month_end('encounter.started_at') }},
        encounter.setting
),

month as (
    select {{ month_end(dbt.dateadd('month', '-months.n', as_of())) }} as month_end
    from {{ integers(var('activity_months')) }} as months
),

package as (
    select
        person_record.person_id,
        care_package.started_on,
        coalesce(least(care_package.ended_on, {{ as_of() }}), {{ as_of() }}) as ended_on,
        care_package.weekly_cost_gbp
    from {{ ref('care_package') }} as care_package
    inner join {{ ref('person_record') }} as person_record
        on care_package.record_token = person_record.record_token
    where care_package.weekly_cost_gbp is not null
        and care_package.started_on <= {{ as_of() }}
),

-- a package costs its weekly price for the days of the month on which it ran
care as (
    select
        package.person_id,
        month.month_end,
        'social_care' as setting,
        0 as n_contacts,
        0 as n_emergency,
        sum(
            package.weekly_cost_gbp / 7 * (
                least(package.ended_on, month.month_end)
                - greatest(package.started_on, cast({{ dbt.date_trunc('month', 'month.month_end') }} as date))
                + 1
            )
        ) as cost_gbp
    from package
    inner join month
        on package.started_on <= month.month_end
        and package.ended_on >= cast({{ dbt.date_trunc('month', 'month.month_end') }} as date)
    group by
        package.person_id,
        month.month_end
),

activity as (
    select * from contact
    union all
    select * from care
)

select
    person_id,
    month_end,
    setting,
    cast(sum(n_contacts) as integer) as n_contacts,
    cast(sum(n_emergency) as integer) as n_emergency,
    round(sum(cost_gbp), 2) as cost_gbp
from activity
group by
    person_id,
    month_end,
    setting
