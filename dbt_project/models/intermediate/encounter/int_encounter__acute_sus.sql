with episode as (
    select
        'apc|' || generated_record_identifier || '|' || organisation_code_of_provider || '|'
        || hospital_provider_spell_number as event_key,
        record_token,
        row_number() over spell as position_in_spell,
        min({{ at_time('spell_start_date', 'spell_start_time') }}) over spell as started_at,
        max({{ at_time('spell_discharge_date', 'spell_discharge_time') }}) over spell as ended_at,
        organisation_code_of_provider as organisation_code,
        site_code,
        admission_method as admission_method_code,
        patient_classification,
        last_value(discharge_destination ignore nulls) over spell as discharge_destination_code,
        treatment_function_code as specialty_code,
        -- only the dominant episode carries it
        first_value(spell_core_hrg ignore nulls) over spell as hrg_code,
        is_deleted,
        -- an episode that leaves a spell changes the spell: its key keeps the spell's number when nothing else of it is left
        max(_changed_seq) over (
            partition by organisation_code_of_provider, hospital_provider_spell_number
        ) as _changed_seq
    from {{ ref('stg_acute_sus__apc') }}
    window spell as (
        partition by organisation_code_of_provider, hospital_provider_spell_number, record_token, is_deleted
        order by episode_number nulls last, episode_start_date, generated_record_identifier
        rows between unbounded preceding and unbounded following
    )
),

inpatient as (
    select
        episode.event_key,
        episode.record_token,
        'inpatient' as setting,
        case
            when episode.patient_classification = '2' then 'day_case'
            when episode.patient_classification in ('3', '4') then 'regular_attendance'
            else coalesce(method.admission_method_group, 'other')
        end as encounter_type,
        episode.started_at,
        episode.ended_at,
        episode.organisation_code,
        episode.site_code,
        coalesce(method.is_emergency, false) as is_emergency,
        true as is_attended,
        episode.admission_method_code,
        episode.discharge_destination_code,
        episode.specialty_code,
        episode.hrg_code,
        episode._changed_seq,
        -- the first episode stands for the spell
        episode.is_deleted or episode.position_in_spell > 1 as is_deleted
    from episode
    left join {{ ref('admission_method') }} as method
        on episode.admission_method_code = method.admission_method_code
),

outpatient as (
    select
        'op|' || generated_record_identifier as event_key,
        record_token,
        'outpatient' as setting,
        case
            when first_attendance in ('1', '3') then 'first'
            when first_attendance in ('2', '4') then 'follow_up'
            else 'other'
        end as encounter_type,
        {{ at_time('appointment_date', 'appointment_time') }} as started_at,
        cast(null as timestamp) as ended_at,
        organisation_code_of_provider as organisation_code,
        site_code,
        false as is_emergency,
        case when attended_code in ('5', '6') then true when attended_code in ('2', '3', '4', '7') then false end as is_attended,
        cast(null as varchar) as admission_method_code,
        cast(null as varchar) as discharge_destination_code,
        treatment_function_code as specialty_code,
        core_hrg as hrg_code,
        _changed_seq,
        is_deleted
    from {{ ref('stg_acute_sus__op') }}
),

emergency as (
    select
        'ecds_emergency_care|' || attendance.primarykey_id as event_key,
        attendance.record_token,
        'emergency_department' as setting,
        case attendance.department_type
            when '01' then 'major'
            when '02' then 'mono_specialty'
            when '03' then 'urgent_treatment_centre'
            when '04' then 'walk_in'
            when '05' then 'same_day_emergency_care'
            else 'other'
        end as encounter_type,
        attendance.arrived_at as started_at,
        attendance.departed_at as ended_at,
        attendance.provider_code as organisation_code,
        attendance.site_code,
        attendance.attendance_category is distinct from '4' as is_emergency,
        true as is_attended,
        cast(null as varchar) as admission_method_code,
        attendance.discharge_destination_code,
        cast(null as varchar) as specialty_code,
        attendance.health_resource_group as hrg_code,
        greatest(attendance._changed_seq, coalesce(log._changed_seq, 0)) as _changed_seq,
        attendance.is_deleted or coalesce(log.is_removed and not log.is_deleted, false) as is_deleted
    from {{ ref('stg_acute_sus__ecds_emergency_care') }} as attendance
    left join {{ ref('stg_acute_sus__ecds_insert_delete_log') }} as log
        on attendance.primarykey_id = log.primarykey_id
        and attendance.import_log_id = log.import_log_id
),

encounter as (
    select * from inpatient
    union all
    select * from outpatient
    union all
    select * from emergency
)

select
    encounter.event_key,
    'acute_sus' as source,
    encounter.record_token,
    encounter.setting,
    encounter.encounter_type,
    encounter.started_at,
    encounter.ended_at,
    encounter.organisation_code,
    encounter.site_code,
    encounter.is_emergency,
    encounter.is_attended,
    encounter.admission_method_code,
    encounter.discharge_destination_code,
    encounter.specialty_code,
    cast(null as varchar) as team_type_code,
    encounter.hrg_code,
    {{ encounter_cost('encounter', 'price') }} as cost_gbp,
    encounter._changed_seq,
    encounter.is_deleted
from encounter
left join {{ ref('unit_cost') }} as price
    on encounter.setting = price.setting
    and encounter.encounter_type = price.encounter_type
