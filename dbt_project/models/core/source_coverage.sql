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
            when 'expired' then 'agreement_ended'
            else 'no_agreement'
        end as onboarding_status,
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
),

-- practices of the system whose people we know only from elsewhere
not_connected as (
    select distinct
        organisation.organisation_code,
        'gp' as source,
        cast(null as date) as first_delivery,
        cast(null as date) as last_delivery,
        cast(coalesce(registered.n_people, 0) as integer) as n_people,
        'not_onboarded' as onboarding_status,
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
