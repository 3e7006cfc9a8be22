-- The one definition of homelessness: what each list says, and for how long it counts. People who lose their home move between sofas,
-- hostels and the street, so that what a list says counts for a year after its last day.
{%- set counts_for_months = 12 %}
with listed as (
    select
        person_record.person_id,
        case status.source when 'housing' then 'council' when 'acute_sus' then 'hospital' else status.source end as list_name,
        status.started_on,
        status.ended_on
    from {{ ref('housing_status') }} as status
    inner join {{ ref('person_record') }} as person_record
        on status.record_token = person_record.record_token
    where status.is_homeless

    union all

    -- the day centre serves people without a home; what they need says less of their housing than what they say of it
    select
        person_record.person_id,
        'homeless_service' as list_name,
        referral.referred_on as started_on,
        referral.referred_on as ended_on
    from {{ ref('int_referral__voluntary_sector') }} as referral
    inner join {{ ref('person_record') }} as person_record
        on referral.record_token = person_record.record_token
    where not referral.is_deleted
        and referral.need in ('rough sleeping', 'sofa surfing')

    union all

    select
        person_id,
        'address' as list_name,
        valid_from as started_on,
        valid_to as ended_on
    from {{ ref('person_address') }}
    where is_no_fixed_abode

    union all

    select
        person_record.person_id,
        case when event.setting = 'gp' then 'gp' else 'hospital' end as list_name,
        event.event_date as started_on,
        event.event_date as ended_on
    from (
        select
            record_token,
            setting,
            event_date
        from {{ codelist_events(ref('condition_event'), 'snomed') }}
        where codelist_id = 'snomed_homelessness'
        union all
        select
            record_token,
            setting,
            event_date
        from {{ codelist_events(ref('condition_event'), 'icd10') }}
        where codelist_id = 'icd10_homelessness'
    ) as event
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    -- a code without a day says nothing of now
    where event.event_date is not null
)

select distinct
    person_id,
    list_name,
    started_on,
    ended_on,
    {{ date_plus('month', counts_for_months, 'ended_on') }} as counts_to
from listed
where (started_on is null or started_on <= {{ as_of() }})
    and (ended_on is null or started_on is null or ended_on >= started_on)
