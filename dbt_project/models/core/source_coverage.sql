{%- set registrations = [ref('int_registration__gp_emis'), ref('int_registration__gp_systmone')] -%}
-- who an organisation told us about, and in which loads it last said something new
with presence as (
    {% for events in [ref('encounter'), ref('care_package'), ref('housing_status')] %}
    select
        source,
        organisation_code,
        record_token,
        min(_changed_seq) as first_seq,
        max(_changed_seq) as last_seq
    from {{ events }}
    group by
        source,
        organisation_code,
        record_token

    union all
    {% endfor %}
    select
        source,
        practice_code as organisation_code,
        record_token,
        cast(null as integer) as first_seq,
        cast(null as integer) as last_seq
    from ({{ union_of(registrations, ['source', 'practice_code', 'record_token']) }}) as registration
),

organisation_source as (
    select
        presence.source,
        presence.organisation_code,
        min(presence.first_seq) as first_seq,
        max(presence.last_seq) as last_seq,
        cast(count(distinct person_record.person_id) as integer) as n_people
    from presence
    left join {{ ref('person_record') }} as person_record
        on presence.record_token = person_record.record_token
    where presence.organisation_code is not null
    group by
        presence.source,
        presence.organisation_code
),

-- people on each practice's list: as its own system says, and as the Personal Demographics Service does. What has landed of a
-- practice that is not live yet is compared as well.
listed as (
    select
        registration.source,
        registration.practice_code,
        cast(count(distinct record.person_id) as integer) as n_people
    from ({{ union_of(
        registrations + [ref('int_registration__demographics_pds')],
        ['source', 'record_token', 'practice_code', 'registration_type', 'valid_from', 'valid_to']
    ) }}) as registration
    inner join {{ ref('record') }} as record
        on registration.record_token = record.record_token
    left join {{ ref('death') }} as death
        on record.person_id = death.person_id
    where registration.registration_type is distinct from 'temporary'
        and registration.practice_code is not null
        and (registration.valid_from is null or registration.valid_from <= {{ as_of() }})
        and (registration.valid_to is null or registration.valid_to >= {{ as_of() }})
        and death.person_id is null
        and not coalesce(record.is_test_record, false)
    group by
        registration.source,
        registration.practice_code
),

-- where the register of the NHS has not come, the list sizes that NHS England publishes stand in
published as (
    select
        organisation_code,
        cast(arg_max(n_patients, extract_date) as integer) as n_people
    from {{ ref('stg_reference__gp_list_size') }}
    where sex = 'ALL'
        and age = 'ALL'
        and extract_date <= {{ as_of() }}
        and not is_deleted
    group by organisation_code
),

-- the rule of the national list-size reconciliations: less than two in a hundred, or fewer than five people
reconciled as (
    select
        listed.source,
        listed.practice_code,
        listed.n_people as n_on_list,
        coalesce(register.n_people, published.n_people) as n_expected_on_list,
        case
            when register.n_people is not null then 'demographics_pds'
            when published.n_people is not null then 'gp_list_size'
        end as list_compared_with,
        abs(listed.n_people - n_expected_on_list) < 5
        or abs(listed.n_people - n_expected_on_list) < 0.02 * n_expected_on_list as is_list_reconciled
    from listed
    left join listed as register
        on listed.practice_code = register.practice_code
        and register.source = 'demographics_pds'
    left join published
        on listed.practice_code = published.organisation_code
    where listed.source <> 'demographics_pds'
),

delivery as (
    select
        load_seq,
        min(delivery_date) as delivery_date
    from {{ ref('stg_operations__delivery') }}
    group by load_seq
),

connected as (
    select
        organisation_source.organisation_code,
        organisation_source.source,
        first_delivery.delivery_date as first_delivery,
        last_delivery.delivery_date as last_delivery,
        organisation_source.n_people,
        case coalesce(own.state, general.state)
            when 'in_force' then 'live'
            when 'onboarding' then case when reconciled.is_list_reconciled then 'reconciled' else 'test_extract' end
            when 'expired' then 'agreement_ended'
            else 'no_agreement'
        end as onboarding_status,
        case when own.source is not null then own.live_from else general.live_from end as live_from,
        reconciled.n_on_list,
        reconciled.n_expected_on_list,
        reconciled.list_compared_with,
        reconciled.is_list_reconciled,
        coalesce(
            {{ date_plus('day', 'terms.stale_after_days', 'last_delivery.delivery_date') }} >= {{ as_of() }},
            false
        ) as is_fresh
    from organisation_source
    left join delivery as first_delivery
        on organisation_source.first_seq = first_delivery.load_seq
    left join delivery as last_delivery
        on organisation_source.last_seq = last_delivery.load_seq
    left join {{ source_terms() }} as terms
        on organisation_source.source = terms.source
    left join {{ ref('stg_operations__sharing_agreement') }} as own
        on organisation_source.source = own.source
        and organisation_source.organisation_code = own.organisation_code
    left join {{ ref('stg_operations__sharing_agreement') }} as general
        on organisation_source.source = general.source
        and general.organisation_code = '*'
    left join reconciled
        on organisation_source.source = reconciled.source
        and organisation_source.organisation_code = reconciled.practice_code
),

-- practices that have signed for a GP feed, of which nothing has landed
signed as (
    select
        organisation_code,
        min(live_from) as live_from
    from {{ ref('stg_operations__sharing_agreement') }}
    where source in ('gp_emis', 'gp_systmone')
        and state in ('in_force', 'onboarding', 'not_begun')
    group by organisation_code
),

-- practices of the system whose people we know only from elsewhere
not_connected as (
    select distinct
        organisation.organisation_code,
        'gp' as source,
        cast(null as date) as first_delivery,
        cast(null as date) as last_delivery,
        cast(coalesce(registered.n_people, 0) as integer) as n_people,
        case when signed.organisation_code is not null then 'agreement' else 'not_onboarded' end as onboarding_status,
        signed.live_from,
        cast(null as integer) as n_on_list,
        cast(null as integer) as n_expected_on_list,
        cast(null as varchar) as list_compared_with,
        cast(null as boolean) as is_list_reconciled,
        false as is_fresh
    from {{ ref('organisation') }} as organisation
    left join (
        select
            practice_code,
            count(*) as n_people
        from {{ ref('person') }}
        where is_registered
        group by practice_code
    ) as registered
        on organisation.organisation_code = registered.practice_code
    left join signed
        on organisation.organisation_code = signed.organisation_code
    where organisation.type = 'practice'
        and organisation.hierarchy = 'commissioning'
        and organisation.parent_code is not null
        and (organisation.valid_from is null or organisation.valid_from <= {{ as_of() }})
        and (organisation.valid_to is null or organisation.valid_to >= {{ as_of() }})
        and not exists (
            select 1
            from connected
            where connected.organisation_code = organisation.organisation_code
                and connected.source in ('gp_emis', 'gp_systmone')
        )
)

select * from connected
union all
select * from not_connected
