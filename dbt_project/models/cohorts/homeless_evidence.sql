with housing as (
    select
        person_record.person_id,
        case when status.source = 'housing' then 'council' else status.source end as list_name,
        min(status.started_on) as first_date,
        max(least(coalesce(status.ended_on, {{ as_of() }}), {{ as_of() }})) as last_date,
        bool_or(status.ended_on is null or status.ended_on >= {{ as_of() }}) as is_current
    from {{ ref('housing_status') }} as status
    inner join {{ ref('person_record') }} as person_record
        on status.record_token = person_record.record_token
    where status.is_homeless
        and (status.started_on is null or status.started_on <= {{ as_of() }})
    group by
        person_record.person_id,
        status.source
),

-- the day centre serves people without a home; what they say of their housing at referral may be out of date
day_centre as (
    select
        person_record.person_id,
        'homeless_service' as list_name,
        min(referral.referred_on) as first_date,
        max(referral.referred_on) as last_date,
        false as is_current
    from {{ ref('int_referral__voluntary_sector') }} as referral
    inner join {{ ref('person_record') }} as person_record
        on referral.record_token = person_record.record_token
    where not referral.is_deleted
        and referral.need in ('rough sleeping', 'sofa surfing')
        and referral.referred_on <= {{ as_of() }}
    group by person_record.person_id
),

no_fixed_abode as (
    select
        person_id,
        'address' as list_name,
        valid_from as first_date,
        {{ as_of() }} as last_date,
        true as is_current
    from {{ ref('person_address') }}
    where is_no_fixed_abode
        and (valid_from is null or valid_from <= {{ as_of() }})
        and (valid_to is null or valid_to >= {{ as_of() }})
),

evidence as (
    select * from housing
    union all
    select * from day_centre
    union all
    select * from no_fixed_abode
)

select
    evidence.person_id,
    evidence.list_name,
    min(evidence.first_date) as first_date,
    max(evidence.last_date) as last_date,
    bool_or(evidence.is_current) as is_current
from evidence
inner join {{ ref('person') }} as person
    on evidence.person_id = person.person_id
where person.is_alive
    and (evidence.is_current or evidence.last_date > {{ date_plus('month', -12, as_of()) }})
group by
    evidence.person_id,
    evidence.list_name
