select
    'sr_primary_care_medication|' || id_organisation_visible_to || '|' || cast(row_identifier as varchar) as event_key,
    'gp_systmone' as source,
    record_token,
    cast(date_event as date) as issued_on,
    'dmd' as code_system,
    cast(id_multi_lex_dmd as varchar) as code,
    -- quantity and unit share one text: "28 tablet"
    try_cast(split_part(trim(medication_quantity), ' ', 1) as double) as quantity,
    {{ dbt.datediff('date_medication_start', 'date_medication_end', 'day') }} as course_days,
    coalesce(id_organisation_done_at, id_organisation_visible_to) as organisation_code,
    cast(date_event_recorded as date) as recorded_on,
    _changed_seq,
    -- what a hospital or dentist prescribed is recorded here for information only
    is_deleted
    or coalesce(is_hospital_medication, false)
    or coalesce(is_dental_medication, false)
    or coalesce(is_other_medication, false) as is_deleted
from {{ ref('stg_gp_systmone__sr_primary_care_medication') }}
