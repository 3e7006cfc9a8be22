with consultation as (
    select
        'care_record_consultation|' || consultation.organisation_guid || '|' || consultation.consultation_guid as event_key,
        consultation.record_token,
        consultation.organisation_guid,
        mode.encounter_type,
        {{ at_time('consultation.effective_date', 'consultation.entered_time', '%H:%M:%S') }} as started_at,
        cast(null as timestamp) as ended_at,
        true as is_attended,
        consultation._changed_seq,
        -- what the practice marks as confidential is not for use elsewhere
        consultation.is_deleted or coalesce(consultation.is_confidential, false) as is_deleted
    from {{ ref('stg_gp_emis__care_record_consultation') }} as consultation
    left join {{ ref('gp_contact_mode') }} as mode
        on mode.source = 'gp_emis'
        and lower(consultation.consultation_source_term) = lower(mode.supplier_term)
),

-- a consultation stands for the appointment that was kept; the others are encounters that did not take place
missed_appointment as (
    select
        'appointment_slot|' || slot.organisation_guid || '|' || slot.slot_guid as event_key,
        slot.record_token,
        slot.organisation_guid,
        mode.encounter_type,
        {{ at_time('slot.appointment_date', 'slot.appointment_start_time', '%H:%M:%S') }} as started_at,
        {{ dbt.dateadd(
            'minute',
            'slot.planned_duration_in_minutes',
            at_time('slot.appointment_date', 'slot.appointment_start_time', '%H:%M:%S')
        ) }} as ended_at,
        false as is_attended,
        slot._changed_seq,
        slot.is_deleted
        or not (coalesce(slot.did_not_attend, false) or coalesce(status.outcome in ('did_not_attend', 'cancelled'), false))
            as is_deleted
    from {{ ref('stg_gp_emis__appointment_slot') }} as slot
    left join {{ ref('gp_appointment_status') }} as status
        on status.source = 'gp_emis'
        and lower(slot.slot_status) = lower(status.supplier_term)
    left join {{ ref('gp_contact_mode') }} as mode
        on mode.source = 'gp_emis'
        and lower(slot.mode_of_contact) = lower(mode.supplier_term)
),

encounter as (
    select * from consultation
    union all
    select * from missed_appointment
)

select
    encounter.event_key,
    'gp_emis' as source,
    encounter.record_token,
    'gp' as setting,
    encounter.encounter_type,
    encounter.started_at,
    encounter.ended_at,
    organisation.ods_code as organisation_code,
    organisation.ods_code as site_code,
    false as is_emergency,
    encounter.is_attended,
    cast(null as varchar) as admission_method_code,
    cast(null as varchar) as discharge_destination_code,
    cast(null as varchar) as specialty_code,
    cast(null as varchar) as team_type_code,
    cast(null as varchar) as hrg_code,
    cast({{ encounter_cost('encounter', 'price') }} as double) as cost_gbp,
    -- a practice that changes later changes its encounters
    greatest(encounter._changed_seq, coalesce(organisation._changed_seq, 0)) as _changed_seq,
    encounter.is_deleted
from encounter
left join {{ ref('stg_gp_emis__admin_organisation') }} as organisation
    on encounter.organisation_guid = organisation.organisation_guid
left join {{ ref('unit_cost') }} as price
    on price.setting = 'gp'
    and encounter.encounter_type = price.encounter_type
