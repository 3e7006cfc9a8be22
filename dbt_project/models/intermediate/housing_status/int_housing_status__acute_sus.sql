-- What a patient gives as an address to a hospital; true on that day, nobody says for how long.
with sighting as (
    select
        'apc|' || generated_record_identifier || '|' || organisation_code_of_provider || '|' || hospital_provider_spell_number as event_key,
        record_token,
        organisation_code_of_provider as organisation_code,
        postcode_state,
        coalesce(cds_activity_date, episode_start_date) as seen_on,
        _changed_seq,
        is_deleted
    from {{ ref('stg_acute_sus__apc') }}

    union all

    select
        'op|' || generated_record_identifier as event_key,
        record_token,
        organisation_code_of_provider as organisation_code,
        postcode_state,
        appointment_date as seen_on,
        _changed_seq,
        is_deleted
    from {{ ref('stg_acute_sus__op') }}

    union all

    select
        'ecds_emergency_care|' || primarykey_id as event_key,
        record_token,
        provider_code as organisation_code,
        postcode_state,
        cast(arrived_at as date) as seen_on,
        _changed_seq,
        is_deleted
    from {{ ref('stg_acute_sus__ecds_emergency_care') }}
)

select
    event_key,
    'acute_sus' as source,
    record_token,
    organisation_code,
    'no_fixed_abode' as status,
    'no fixed abode' as reason,
    seen_on as started_on,
    seen_on as ended_on,
    true as is_homeless,
    _changed_seq,
    -- a visit whose address is corrected must take its former status with it
    is_deleted or record_token is null or postcode_state is distinct from 'no_fixed_abode' as is_deleted
from sighting
