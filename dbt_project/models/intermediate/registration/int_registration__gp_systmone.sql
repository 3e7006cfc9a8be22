select
    registration.record_token,
    'gp_systmone' as source,
    coalesce(registration.id_organisation_registered_at, registration.id_organisation_visible_to) as practice_code,
    case
        when lower(registration.registration_status) like '%gms%' then 'regular'
        when lower(registration.registration_status) like '%temporary%' then 'temporary'
        when lower(registration.registration_status) like '%immediately necessary%' then 'temporary'
        when lower(registration.registration_status) like '%emergency%' then 'temporary'
        else 'other'
    end as registration_type,
    registration.date_registration as valid_from,
    registration.date_de_registration as valid_to,
    case
        when registration.date_de_registration >= patient.date_death then 'died'
        when registration.date_de_registration is not null then 'left_practice'
    end as end_reason,
    registration.is_deleted
from {{ ref('stg_gp_systmone__sr_patient_registration') }} as registration
left join {{ ref('stg_gp_systmone__sr_patient') }} as patient
    on registration.record_token = patient.record_token
    and not patient.is_deleted
