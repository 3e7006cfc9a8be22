-- A month of an organisation is covered when it sent at least a tenth of what it sends in a usual month: a delivery that did not come, and
-- the time before it joined, are told from a quiet month.
with month as (
    select distinct counted_on as month_end
    from {{ ref('measured_person') }}
    where counted_on = {{ month_end('counted_on') }}
),

-- counted by person first: joined as they are, three large tables tempt the planner to begin with months alone
used as (
    select
        person_record.person_id,
        encounter.setting,
        encounter.organisation_code,
        {{ month_end('encounter.started_at') }} as month_end,
        count(*) as n
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.organisation_code is not null
    group by
        person_record.person_id,
        encounter.setting,
        encounter.organisation_code,
        {{ month_end('encounter.started_at') }}
),

contact as (
    select
        used.setting,
        used.organisation_code,
        person.practice_code,
        used.month_end,
        sum(used.n) as n
    from used
    inner join {{ ref('measured_person') }} as person
        on used.person_id = person.person_id
        and used.month_end = person.counted_on
    group by
        used.setting,
        used.organisation_code,
        person.practice_code,
        used.month_end
),

sent as (
    select
        setting,
        organisation_code,
        month_end,
        sum(n) as n
    from contact
    group by setting, organisation_code, month_end
),

covered as (
    select
        setting,
        organisation_code,
        month_end
    from sent
    qualify n >= 0.1 * median(n) over (partition by setting, organisation_code)
),

-- how much of what a practice's people use in a setting is with each organisation, over the months that it covers
share_of as (
    select
        contact.setting,
        contact.practice_code,
        contact.organisation_code,
        sum(contact.n) * 1.0 / any_value(whole.n_months) as n_a_month
    from contact
    inner join covered
        on contact.setting = covered.setting
        and contact.organisation_code = covered.organisation_code
        and contact.month_end = covered.month_end
    inner join (
        select setting, organisation_code, count(*) as n_months
        from covered
        group by setting, organisation_code
    ) as whole
        on contact.setting = whole.setting
        and contact.organisation_code = whole.organisation_code
    group by
        contact.setting,
        contact.practice_code,
        contact.organisation_code
),

of_others as (
    select
        share_of.setting,
        share_of.practice_code,
        month.month_end,
        sum(share_of.n_a_month) filter (where covered.organisation_code is not null) / sum(share_of.n_a_month) as share_covered
    from share_of
    cross join month
    left join covered
        on share_of.setting = covered.setting
        and share_of.organisation_code = covered.organisation_code
        and month.month_end = covered.month_end
    where share_of.setting <> 'gp'
    group by
        share_of.setting,
        share_of.practice_code,
        month.month_end
),

practice as (
    select distinct practice_code
    from {{ ref('measured_person') }}
),

setting as (
    select distinct setting
    from sent
),

-- practices whose people use a setting too seldom to know with whom are covered as the others are
of_all as (
    select
        setting,
        month_end,
        avg(share_covered) as share_covered
    from of_others
    group by setting, month_end
)

select
    practice.practice_code,
    setting.setting,
    month.month_end,
    case
        -- what a practice does is sent by itself and nobody else
        when setting.setting = 'gp' then case when own.organisation_code is not null then 1.0 else 0.0 end
        else coalesce(of_others.share_covered, case when known.practice_code is null then of_all.share_covered end, 0.0)
    end as share_covered
from practice
cross join setting
cross join month
left join covered as own
    on practice.practice_code = own.organisation_code
    and setting.setting = own.setting
    and month.month_end = own.month_end
left join of_others
    on practice.practice_code = of_others.practice_code
    and setting.setting = of_others.setting
    and month.month_end = of_others.month_end
left join (select distinct setting, practice_code from of_others) as known
    on practice.practice_code = known.practice_code
    and setting.setting = known.setting
left join of_all
    on setting.setting = of_all.setting
    and month.month_end = of_all.month_end
