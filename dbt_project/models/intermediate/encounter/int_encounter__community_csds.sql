with referral as (
    -- an open referral is sent again every month: the latest month says whose it is
    select
        unique_service_request_identifier,
        arg_max(record_token, unique_month_id) filter (where not is_deleted) as record_token,
        max(_changed_seq) as _changed_seq
    from {{ ref('stg_community_csds__cyp101_referral') }}
    group by unique_service_request_identifier
),

team as (
    select
        unique_service_request_identifier,
        care_professional_team_local_identifier,
        arg_max(team_type, unique_month_id) filter (where not is_deleted) as team_type_code,
        max(_changed_seq) as _changed_seq
    from {{ ref('stg_community_csds__cyp102_service_type_referred_to') }}
    group by unique_service_request_identifier, care_professional_team_local_identifier
),

contact as (
    select
        'cyp201_care_contact|' || contact.unique_care_contact_identifier as event_key,
        referral.record_token,
        'community' as setting,
        'contact' as encounter_type,
        {{ at_time('contact.care_contact_date', 'contact.care_contact_time', '%H:%M:%S') }} as started_at,
        contact.clinical_contact_minutes,
        contact.organisation_identifier_code_of_provider as organisation_code,
        contact.site_code,
        case
            when contact.attendance_status in ('5', '6') then true
            when contact.attendance_status in ('2', '3', '4', '7') then false
        end as is_attended,
        team.team_type_code,
        greatest(contact._changed_seq, coalesce(referral._changed_seq, 0), coalesce(team._changed_seq, 0)) as _changed_seq,
        contact.is_deleted
    from {{ ref('stg_community_csds__cyp201_care_contact') }} as contact
    left join referral
        on contact.unique_service_request_identifier = referral.unique_service_request_identifier
    left join team
        on contact.unique_service_request_identifier = team.unique_service_request_identifier
        and contact.care_professional_team_local_identifier = team.care_professional_team_local_identifier
),

encounter as (
    select
        contact.*,
        contact.started_at + to_minutes(contact.clinical_contact_minutes) as ended_at
    from contact
)

select
    encounter.event_key,
    'community_csds' as source,
    encounter.record_token,
    encounter.setting,
    encounter.encounter_type,
    encounter.started_at,
    encounter.ended_at,
    encounter.organisation_code,
    encounter.site_code,
    false as is_emergency,
    encounter.is_attended,
    cast(null as varchar) as admission_method_code,
    cast(null as varchar) as discharge_destination_code,
    cast(null as varchar) as specialty_code,
    encounter.team_type_code,
    cast(null as varchar) as hrg_code,
    {{ encounter_cost('encounter', 'price') }} as cost_gbp,
    encounter._changed_seq,
    encounter.is_deleted
from encounter
left join {{ ref('unit_cost') }} as price
    on encounter.setting = price.setting
    and encounter.encounter_type = price.encounter_type
