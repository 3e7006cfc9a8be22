with event as (
    select
        'sr_event|' || event.id_organisation_visible_to || '|' || cast(event.row_identifier as varchar) as event_key,
        event.record_token,
        mode.encounter_type,
        event.date_event as started_at,
        cast(null as timestamp) as ended_at,
        coalesce(event.id_organisation_done_at, event.id_organisation_visible_to) as organisation_code,
        true as is_attended,
        -- a word of the list that arrives or changes later changes every entry that uses it
        greatest(event._changed_seq, coalesce(method._changed_seq, 0)) as _changed_seq,
        -- an administrative entry is no contact with the patient
        event.is_deleted or not coalesce(event.clinical_event, false) as is_deleted
    from {{ ref('stg_gp_systmone__sr_event') }} as event
    left join {{ ref('stg_gp_systmone__sr_mapping') }} as method
        on event.contact_method = method.row_identifier
    left join {{ ref('gp_contact_mode') }} as mode
        on mode.source = 'gp_systmone'
        and lower(method.mapping) = lower(mode.supplier_term)
        and not method.is_deleted
),

-- an event stands for the appointment that was kept; the others are encounters that did not take place
missed_appointment as (
    select
        'sr_appointment|' || appointment.id_organisation_visible_to || '|' || cast(appointment.row_identifier as varchar)
            as event_key,
        appointment.record_token,
        case when appointment.telephone_appointment then 'telephone' end as encounter_type,
        appointment.date_start as started_at,
        appointment.date_end as ended_at,
        coalesce(appointment.id_organisation, appointment.id_organisation_visible_to) as organisation_code,
        false as is_attended,
        greatest(appointment._changed_seq, coalesce(word._changed_seq, 0)) as _changed_seq,
        appointment.is_deleted or not coalesce(status.outcome in ('did_not_attend', 'cancelled'), false) as is_deleted
    from {{ ref('stg_gp_systmone__sr_appointment') }} as appointment
    left join {{ ref('stg_gp_systmone__sr_mapping') }} as word
        on appointment.appointment_status = word.row_identifier
    left join {{ ref('gp_appointment_status') }} as status
        on status.source = 'gp_systmone'
        and lower(word.mapping) = lower(status.supplier_term)
        and not word.is_deleted
),

encounter as (
    select * from event
    union all
    select * from missed_appointment
)

select
    encounter.event_key,
    'gp_systmone' as source,
    encounter.record_token,
    'gp' as setting,
    encounter.encounter_type,
    encounter.started_at,
    encounter.ended_at,
    encounter.organisation_code,
    encounter.organisation_code as site_code,
    false as is_emergency,
    encounter.is_attended,
    cast(null as varchar) as admission_method_code,
    cast(null as varchar) as discharge_destination_code,
    cast(null as varchar) as specialty_code,
    cast(null as varchar) as team_type_code,
    cast(null as varchar) as hrg_code,
    cast({{ encounter_cost('encounter', 'price') }} as double) as cost_gbp,
    encounter._changed_seq,
    encounter.is_deleted
from encounter
left join {{ ref('unit_cost') }} as price
    on price.setting = 'gp'
    and encounter.encounter_type = price.encounter_type
