with ethnicity as (
    select
        statement.record_token,
        category.ethnic_category_code,
        statement.event_date as recorded_on,
        statement._changed_seq,
        -- a stated category, however old, says more than "not stated"
        row_number() over (
            partition by statement.record_token
            order by
                case when category.ethnic_category_code = 'Z' then 1 else 0 end,
                statement.event_date desc nulls last,
                statement.event_key
        ) as recency
    from {{ ref('int_coded_statement__gp_emis') }} as statement
    inner join {{ ref('ethnicity_snomed_to_category') }} as category
        on statement.code = category.snomed_code
    where not statement.is_deleted
)

select
    patient.record_token,
    'gp_emis' as source,
    organisation.ods_code as organisation_code,
    case when patient.sex in ('M', 'F', 'I') then patient.sex end as sex,
    patient.birth_month,
    ethnicity.ethnic_category_code,
    ethnicity.recorded_on as ethnicity_recorded_on,
    patient.date_of_death as death_date,
    coalesce(patient.dummy_type, false) or coalesce(patient.patient_type_description = 'Dummy', false) as is_test_record,
    coalesce(patient.spine_sensitive, false) or coalesce(patient.is_confidential, false) as is_sensitive,
    coalesce(patient.spine_sensitive, false) as is_restricted,
    greatest(patient._changed_seq, coalesce(ethnicity._changed_seq, 0)) as _changed_seq,
    patient.is_deleted
from {{ ref('stg_gp_emis__admin_patient') }} as patient
left join {{ ref('stg_gp_emis__admin_organisation') }} as organisation
    on patient.organisation_guid = organisation.organisation_guid
left join ethnicity
    on patient.record_token = ethnicity.record_token
    and ethnicity.recency = 1
