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
    from {{ ref('int_coded_statement__gp_systmone') }} as statement
    inner join {{ ref('ethnicity_snomed_to_category') }} as category
        on statement.code = category.snomed_code
    where not statement.is_deleted
)

select
    patient.record_token,
    'gp_systmone' as source,
    patient.id_organisation_visible_to as organisation_code,
    case when patient.gender in ('M', 'F', 'I') then patient.gender end as sex,
    patient.birth_month,
    ethnicity.ethnic_category_code,
    ethnicity.recorded_on as ethnicity_recorded_on,
    patient.date_death as death_date,
    coalesce(patient.test_patient, false) as is_test_record,
    -- SystmOne's extract has no such flag; restriction on the Personal Demographics Service comes from other sources
    false as is_sensitive,
    false as is_restricted,
    greatest(patient._changed_seq, coalesce(ethnicity._changed_seq, 0)) as _changed_seq,
    patient.is_deleted
from {{ ref('stg_gp_systmone__sr_patient') }} as patient
left join ethnicity
    on patient.record_token = ethnicity.record_token
    and ethnicity.recency = 1
