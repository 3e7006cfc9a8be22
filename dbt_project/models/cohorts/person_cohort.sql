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

coded as (
    {%- for code_system in ['snomed', 'icd10'] %}
    select
        person_record.person_id,
        event.codelist_id,
        event.source,
        event.event_date
    from {{ codelist_events(ref('condition_event'), code_system) }} as event
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where event.category = 'INCLUSION'
        and (event.event_date is null or event.event_date <= {{ as_of() }})
        and (
            event.codelist_id in (select rule.codelist_id from rule where rule.kind = 'codelist')
            or event.codelist_id = 'snomed_asylum_seeker'
        )
    {%- if not loop.last %}

    union all
    {% endif %}
    {%- endfor %}
),

by_codelist as (
    select
        coded.person_id,
        rule.cohort_code,
        min(coded.event_date) as entered_on,
        cast(null as date) as exited_on,
        'coded' || coalesce(' on ' || cast(max(coded.event_date) as varchar), '') || ' (' || {{ joined_values('coded.source') }} || ')' as evidence
    from coded
    inner join rule
        on rule.kind = 'codelist'
        and coded.codelist_id = rule.codelist_id
    where rule.within_months is null
        or coded.event_date > {{ date_plus('month', '-rule.within_months', as_of()) }}
    group by
        coded.person_id,
        rule.cohort_code
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
        n_quarter_1 || ', ' || n_quarter_2 || ', ' || n_quarter_3 || ' and ' || n_quarter_4 || ' contacts in the quarters of the year, '
        || n_contacts_year_before || ' in the year before, with ' || n_services || ' services' as evidence
    from {{ ref('contact_trend') }}
    where is_rising
),

referred as (
    select
        person_record.person_id,
        case
            when referral.accommodation = 'asylum accommodation' then 'asylum_seekers'
            when referral.need in ('drug use', 'alcohol use') then 'drug_and_alcohol'
        end as cohort_code,
        referral.referred_on
    from {{ ref('int_referral__voluntary_sector') }} as referral
    inner join {{ ref('person_record') }} as person_record
        on referral.record_token = person_record.record_token
    where not referral.is_deleted
        and referral.referred_on <= {{ as_of() }}
        and referral.referred_on > {{ date_plus('month', -24, as_of()) }}
),

-- what several sources may say, each in its own words
said as (
    select
        person_id,
        cohort_code,
        referred_on as said_on,
        'referred on ' || cast(max(referred_on) over (partition by person_id, cohort_code) as varchar) as evidence
    from referred
    where cohort_code is not null

    union all

    select
        person_id,
        'asylum_seekers' as cohort_code,
        event_date as said_on,
        'coded (' || source || ')' as evidence
    from coded
    where codelist_id = 'snomed_asylum_seeker'
        and event_date > {{ date_plus('month', -24, as_of()) }}

    union all

    select
        person_id,
        'drug_and_alcohol' as cohort_code,
        coalesce(active_from, onset_date) as said_on,
        replace(condition_code, '_', ' ') || ' (' || sources || ')' as evidence
    from {{ ref('person_condition') }}
    where condition_code in ('alcohol_misuse', 'substance_misuse')
        and is_active
),

by_several_sources as (
    select
        person_id,
        cohort_code,
        min(said_on) as entered_on,
        cast(null as date) as exited_on,
        {{ joined_values('evidence') }} as evidence
    from said
    group by
        person_id,
        cohort_code
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
    select * from by_codelist
    union all
    select * from triggered
    union all
    select * from homeless
    union all
    select * from rising
    union all
    select * from by_several_sources
    union all
    select * from attended
)

select
    member.person_id,
    member.cohort_code,
    -- evidence without a day: whoever was in the last release entered when they did then, who was not has entered since
    coalesce(
        member.entered_on,
        case
            when member.exited_on is not null then null
            when before.person_id is not null then before.entered_on
            when (select count(*) from {{ ref('cohort_member_before') }}) > 0 then {{ as_of() }}
        end
    ) as entered_on,
    member.exited_on,
    member.evidence
from member
inner join rule
    on member.cohort_code = rule.cohort_code
inner join {{ ref('person') }} as person
    on member.person_id = person.person_id
left join {{ ref('cohort_member_before') }} as before
    on member.person_id = before.person_id
    and member.cohort_code = before.cohort_code
where person.is_alive
    and (rule.min_age is null or person.age_years >= rule.min_age)
    and (rule.max_age is null or person.age_years <= rule.max_age)
