with homeless_case as (
    select
        council_code || '|' || case_reference as case_key,
        record_token,
        council_code,
        application_date,
        lower(trim(duty_owed)) as duty_owed,
        duty_start_date,
        duty_end_date,
        lower(trim(reason_for_loss)) as reason_for_loss,
        lower(trim(accommodation_at_application)) as accommodation_at_application,
        _changed_seq,
        is_deleted
    from {{ ref('stg_housing__hclic_case') }}
),

tenancy as (
    select
        'tenancy|' || council_code || '|' || cast(record_token as varchar) as event_key,
        record_token,
        council_code,
        'tenancy' as status,
        cast(null as varchar) as reason,
        tenancy_start_date as started_on,
        tenancy_end_date as ended_on,
        false as is_homeless,
        _changed_seq,
        is_deleted
    from {{ ref('stg_housing__tenancy') }}
),

duty as (
    select
        'hclic_case|' || case_key as event_key,
        record_token,
        council_code,
        'homelessness_' || duty_owed as status,
        reason_for_loss as reason,
        coalesce(duty_start_date, application_date) as started_on,
        duty_end_date as ended_on,
        -- the prevention duty is owed to people who still have a home
        duty_owed in ('relief', 'main') as is_homeless,
        _changed_seq,
        -- a case to which no duty is owed any more must take its former status with it
        is_deleted or coalesce(duty_owed not in ('prevention', 'relief', 'main'), true) as is_deleted
    from homeless_case
),

-- true on the day of the application; nobody says for how long
at_application as (
    select
        'hclic_case_accommodation|' || case_key as event_key,
        record_token,
        council_code,
        'no_fixed_abode' as status,
        accommodation_at_application as reason,
        application_date as started_on,
        application_date as ended_on,
        true as is_homeless,
        _changed_seq,
        is_deleted or coalesce(accommodation_at_application not in ('no fixed abode', 'rough sleeping'), true) as is_deleted
    from homeless_case
),

placement as (
    select
        'hclic_temporary_accommodation|' || council_code || '|' || case_reference || '|' || placement_reference as event_key,
        record_token,
        council_code,
        'temporary_accommodation' as status,
        lower(trim(accommodation_type)) as reason,
        placed_on as started_on,
        left_on as ended_on,
        true as is_homeless,
        _changed_seq,
        is_deleted
    from {{ ref('stg_housing__hclic_temporary_accommodation') }}
),

status as (
    select * from tenancy
    union all
    select * from duty
    union all
    select * from at_application
    union all
    select * from placement
),

-- housing systems name a council by its area; elsewhere it has an organisation code
council as (
    select
        area_code,
        max(organisation_code) as organisation_code
    from {{ ref('stg_reference__local_organisation') }}
    where organisation_type = 'council' and not is_deleted
    group by area_code
)

select
    status.event_key,
    'housing' as source,
    status.record_token,
    coalesce(council.organisation_code, status.council_code) as organisation_code,
    status.status,
    status.reason,
    status.started_on,
    status.ended_on,
    status.is_homeless,
    status._changed_seq,
    status.is_deleted
from status
left join council
    on status.council_code = council.area_code
