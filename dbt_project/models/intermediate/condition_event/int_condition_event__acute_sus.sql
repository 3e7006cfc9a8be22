with episode_diagnosis as (
    select
        'apc|' || episode.generated_record_identifier || '|' || episode.organisation_code_of_provider || '|'
        || episode.hospital_provider_spell_number as record_key,
        episode.record_token,
        episode.episode_start_date as event_date,
        episode.organisation_code_of_provider as organisation_code,
        -- a stay is coded when it is over
        episode.episode_end_date as recorded_on,
        episode._changed_seq,
        episode.is_deleted,
        {{ coded_positions('diagnosis', 24) }} as coded
    from {{ ref('stg_acute_sus__apc') }} as episode
),

episode_procedure as (
    select
        'apc|' || episode.generated_record_identifier || '|' || episode.organisation_code_of_provider || '|'
        || episode.hospital_provider_spell_number as record_key,
        episode.record_token,
        episode.episode_start_date,
        episode.organisation_code_of_provider as organisation_code,
        episode.episode_end_date as recorded_on,
        episode._changed_seq,
        episode.is_deleted,
        {{ coded_positions('procedure', 24, dated=true) }} as coded
    from {{ ref('stg_acute_sus__apc') }} as episode
),

appointment_diagnosis as (
    select
        'op|' || appointment.generated_record_identifier as record_key,
        appointment.record_token,
        appointment.appointment_date as event_date,
        appointment.organisation_code_of_provider as organisation_code,
        appointment._changed_seq,
        appointment.is_deleted,
        {{ coded_positions('diagnosis', 12) }} as coded
    from {{ ref('stg_acute_sus__op') }} as appointment
),

appointment_procedure as (
    select
        'op|' || appointment.generated_record_identifier as record_key,
        appointment.record_token,
        appointment.appointment_date as event_date,
        appointment.organisation_code_of_provider as organisation_code,
        appointment._changed_seq,
        appointment.is_deleted,
        {{ coded_positions('procedure', 12) }} as coded
    from {{ ref('stg_acute_sus__op') }} as appointment
),

coded_event as (
    select
        record_key || '|diagnosis|' || coded.n as event_key,
        record_token,
        event_date,
        'icd10' as code_system,
        {{ icd10('coded.code') }} as code,
        coded.n as place,
        'inpatient' as setting,
        organisation_code,
        recorded_on,
        _changed_seq,
        is_deleted
    from episode_diagnosis

    union all

    select
        record_key || '|procedure|' || coded.n as event_key,
        record_token,
        coalesce(coded.coded_on, episode_start_date) as event_date,
        'opcs4' as code_system,
        {{ opcs4('coded.code') }} as code,
        coded.n as place,
        'inpatient' as setting,
        organisation_code,
        recorded_on,
        _changed_seq,
        is_deleted
    from episode_procedure

    union all

    select
        record_key || '|diagnosis|' || coded.n as event_key,
        record_token,
        event_date,
        'icd10' as code_system,
        {{ icd10('coded.code') }} as code,
        coded.n as place,
        'outpatient' as setting,
        organisation_code,
        cast(null as date) as recorded_on,
        _changed_seq,
        is_deleted
    from appointment_diagnosis

    union all

    select
        record_key || '|procedure|' || coded.n as event_key,
        record_token,
        event_date,
        'opcs4' as code_system,
        {{ opcs4('coded.code') }} as code,
        coded.n as place,
        'outpatient' as setting,
        organisation_code,
        cast(null as date) as recorded_on,
        _changed_seq,
        is_deleted
    from appointment_procedure

    union all

    select
        'ecds_diagnosis|' || diagnosis.primarykey_id || '|' || diagnosis.snomed_id as event_key,
        attendance.record_token,
        cast(attendance.arrived_at as date) as event_date,
        'snomed' as code_system,
        diagnosis.code,
        case when diagnosis.is_primary then 1 else diagnosis.sequence_number end as place,
        'emergency_department' as setting,
        attendance.provider_code as organisation_code,
        cast(null as date) as recorded_on,
        greatest(
            diagnosis._changed_seq, coalesce(attendance._changed_seq, 0), coalesce(log._changed_seq, 0)
        ) as _changed_seq,
        diagnosis.is_deleted
        or coalesce(attendance.is_deleted, true)
        or coalesce(log.is_removed and not log.is_deleted, false)
        -- 415684004 is suspected: not a diagnosis of the person
        or coalesce(diagnosis.qualifier = '415684004', false) as is_deleted
    from {{ ref('stg_acute_sus__ecds_diagnosis') }} as diagnosis
    left join {{ ref('stg_acute_sus__ecds_emergency_care') }} as attendance
        on diagnosis.primarykey_id = attendance.primarykey_id
    left join {{ ref('stg_acute_sus__ecds_insert_delete_log') }} as log
        on attendance.primarykey_id = log.primarykey_id
        and attendance.import_log_id = log.import_log_id
)

select
    event_key,
    'acute_sus' as source,
    record_token,
    event_date,
    'YMD' as date_precision,
    code_system,
    code,
    case when place = 1 then 'primary' when place > 1 then 'secondary' end as position,
    setting,
    organisation_code,
    recorded_on,
    _changed_seq,
    -- an empty position of a record that once had a code there must be forgotten
    is_deleted or code is null as is_deleted
from coded_event
