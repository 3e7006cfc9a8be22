select
    patient.record_token,
    'gp_emis' as source,
    organisation.ods_code as practice_code,
    case lower(patient.patient_type_description)
        when 'regular' then 'regular'
        when 'temporary' then 'temporary'
        when 'emergency' then 'temporary'
        when 'immediately necessary' then 'temporary'
        else 'other'
    end as registration_type,
    patient.date_of_registration as valid_from,
    coalesce(patient.date_of_deactivation, patient.date_of_death) as valid_to,
    case
        when patient.date_of_death is not null then 'died'
        when patient.date_of_deactivation is not null then 'left_practice'
    end as end_reason,
    patient.is_deleted
from {{ ref('stg_gp_emis__admin_patient') }} as patient
left join {{ ref('stg_gp_emis__admin_organisation') }} as organisation
    on patient.organisation_guid = organisation.organisation_guid
