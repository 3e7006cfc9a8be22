with rule as (
    select *
    from {{ ref('cohort_rule') }}
),

by_condition as (
    select
        condition.person_id,
        rule.cohort_code,
        coalesce(condition.active_from, condition.onset_date) as entered_on,
        case when not condition.is_active then condition.resolved_date end as exited_on,
        rule.name || ' (' || condition.sources || ')' as evidence
    from {{ ref('person_condition') }} as condition
    inner join rule
        on rule.kind = 'condition'
        and condition.condition_code = rule.condition_code
    where condition.is_active
        or condition.resolved_date is not null
),

by_score as (
    select
        score.person_id,
        rule.cohort_code,
        cast(null as date) as entered_on,
        cast(null as date) as exited_on,
        rule.score_code || ' ' || cast(round(score.value, 2) as varchar) as evidence
    from {{ ref('person_score') }} as score
    inner join rule
        on rule.kind = 'score_band'
        and score.score_code = rule.score_code
        and score.band = rule.band
),

triggered as (
    select
        frailty.person_id,
        'frailty_with_trigger' as cohort_code,
        max(contact.contact_date) as entered_on,
        cast(null as date) as exited_on,
        replace(arg_max(contact.kind, {{ survivorship_order(['contact.contact_date', "contact.kind = 'emergency_admission'"]) }}), '_', ' ')
        || ' on ' || cast(max(contact.contact_date) as varchar) as evidence
    from {{ ref('person_condition') }} as frailty
    inner join {{ ref('segment_contact') }} as contact
        on frailty.person_id = contact.person_id
        and contact.kind in ('emergency_admission', 'emergency_attendance')
        and contact.contact_date > {{ date_plus('day', -30, as_of()) }}
    where frailty.condition_code = 'moderate_or_severe_frailty'
        and frailty.is_active
    group by frailty.person_id
),

homeless as (
    select
        person_id,
        'homeless' as cohort_code,
        min(first_date) as entered_on,
        cast(null as date) as exited_on,
        'known to ' || {{ joined_values('list_name') }}
        || case when bool_or(list_name = 'council') then '' else '; not on the council''s list' end as evidence
    from {{ ref('homeless_evidence') }}
    group by person_id
),

rising as (
    select
        person_id,
        'rising_mental_health_contacts' as cohort_code,
        cast(null as date) as entered_on,
        cast(null as date) as exited_on,
        cast(n_first_half as varchar) || ' contacts in the first six months, ' || cast(n_second_half as varchar)
        || ' in the last six, with ' || cast(n_services as varchar) || ' services' as evidence
    from {{ ref('contact_trend') }}
    where is_rising
),

asylum as (
    select
        person_record.person_id,
        'asylum_seekers' as cohort_code,
        min(referral.referred_on) as entered_on,
        cast(null as date) as exited_on,
        'referred to the asylum and refugee service, ' || cast(max(referral.referred_on) as varchar) as evidence
    from {{ ref('int_referral__voluntary_sector') }} as referral
    inner join {{ ref('person_record') }} as person_record
        on referral.record_token = person_record.record_token
    where not referral.is_deleted
        and referral.accommodation = 'asylum accommodation'
        and referral.referred_on <= {{ as_of() }}
        and referral.referred_on > {{ date_plus('month', -24, as_of()) }}
    group by person_record.person_id
),

attended as (
    select
        person_record.person_id,
        'high_intensity_users' as cohort_code,
        cast(null as date) as entered_on,
        cast(null as date) as exited_on,
        cast(count(*) as varchar) || ' emergency department attendances in two years' as evidence
    from {{ ref('encounter') }} as encounter
    inner join {{ ref('person_record') }} as person_record
        on encounter.record_token = person_record.record_token
    where encounter.setting = 'emergency_department'
        and encounter.encounter_type = 'major'
        and encounter.is_attended is distinct from false
        and encounter.started_at < {{ date_plus('day', 1, as_of()) }}
        and encounter.started_at >= {{ date_plus('month', -24, as_of()) }}
    group by person_record.person_id
    having count(*) >= 20
),

member as (
    select * from by_condition
    union all
    select * from by_score
    union all
    select * from triggered
    union all
    select * from homeless
    union all
    select * from rising
    union all
    select * from asylum
    union all
    select * from attended
)

select
    member.person_id,
    member.cohort_code,
    member.entered_on,
    member.exited_on,
    member.evidence
from member
inner join rule
    on member.cohort_code = rule.cohort_code
inner join {{ ref('person') }} as person
    on member.person_id = person.person_id
where person.is_alive
    and (rule.min_age is null or person.age_years >= rule.min_age)
    and (rule.max_age is null or person.age_years <= rule.max_age)
