-- What holds today, by records whose agreement covers direct care, of people alive who may be seen by those who care for them.
with person as (
    select
        person.person_id,
        person.practice_code
    from {{ ref('person') }} as person
    inner join {{ ref('person_permission') }} as permission
        on person.person_id = permission.person_id
        and permission.is_direct_care_permitted
    where person.is_alive
),

registration as (
    {{ union_of([
        ref('int_registration__demographics_pds'),
        ref('int_registration__gp_emis'),
        ref('int_registration__gp_systmone'),
    ], ['record_token', 'source', 'practice_code', 'registration_type', 'valid_from', 'valid_to']) }}
),

relationship as (
    select
        person.person_id,
        registration.practice_code as organisation_code,
        'registered_practice' as relationship,
        registration.record_token,
        registration.source,
        registration.valid_from as since_date
    from registration
    inner join {{ ref('person_record') }} as person_record
        on registration.record_token = person_record.record_token
    inner join person
        on person_record.person_id = person.person_id
        and registration.practice_code = person.practice_code
    where registration.registration_type is distinct from 'temporary'
        and (registration.valid_from is null or registration.valid_from <= {{ as_of() }})
        and (registration.valid_to is null or registration.valid_to >= {{ as_of() }})

    union all

    select
        person.person_id,
        referral.organisation_code,
        'open_referral' as relationship,
        referral.record_token,
        referral.source,
        min(referral.referred_on) as since_date
    from (
        {%- for referral in [
            ref('int_referral__community_csds'),
            ref('int_referral__mental_health_mhsds'),
            ref('int_referral__voluntary_sector'),
        ] %}
        select record_token, source, organisation_code, referred_on, is_open, is_deleted from {{ referral }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as referral
    inner join {{ ref('person_record') }} as person_record
        on referral.record_token = person_record.record_token
    inner join person
        on person_record.person_id = person.person_id
    where referral.is_open
        and not referral.is_deleted
        and referral.referred_on <= {{ as_of() }}
    group by person.person_id, referral.organisation_code, referral.record_token, referral.source
)

-- the organisation's own record says who the person is to it; the register stands in where the practice has sent none
select
    relationship.person_id,
    relationship.organisation_code,
    relationship.relationship,
    relationship.record_token,
    relationship.source,
    relationship.since_date
from relationship
qualify row_number() over (
    partition by relationship.person_id, relationship.organisation_code, relationship.relationship
    order by relationship.source = 'demographics_pds', relationship.since_date desc nulls last, relationship.record_token
) = 1
