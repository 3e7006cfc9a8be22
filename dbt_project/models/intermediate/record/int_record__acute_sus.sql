with sighting as (
    select
        record_token,
        organisation_code_local_patient_identifier as organisation_code,
        sex as gender_code,
        birth_month,
        ethnic_category,
        coalesce(cds_activity_date, episode_start_date) as seen_on,
        case when discharge_method = '4' then spell_discharge_date end as death_date,
        withheld_identity_reason,
        _changed_seq
    from {{ ref('stg_acute_sus__apc') }}
    where record_token is not null and not is_deleted

    union all

    select
        record_token,
        organisation_code_local_patient_identifier as organisation_code,
        sex as gender_code,
        birth_month,
        ethnic_category,
        appointment_date as seen_on,
        null as death_date,
        withheld_identity_reason,
        _changed_seq
    from {{ ref('stg_acute_sus__op') }}
    where record_token is not null and not is_deleted

    union all

    select
        record_token,
        local_patient_identifier_issuer as organisation_code,
        stated_gender as gender_code,
        birth_month,
        ethnic_category,
        cast(arrived_at as date) as seen_on,
        null as death_date,
        null as withheld_identity_reason,
        _changed_seq
    from {{ ref('stg_acute_sus__ecds_emergency_care') }}
    where record_token is not null and not is_deleted
)

select
    record_token,
    'acute_sus' as source,
    -- the record is that of one organisation's number
    min(organisation_code) as organisation_code,
    -- several attendances of one day may disagree: the value itself settles which stands, every night the same
    arg_max(case gender_code when '1' then 'M' when '2' then 'F' end, {{ survivorship_order(['seen_on is not null', 'seen_on', 'gender_code']) }}) as sex,
    arg_max(birth_month, {{ survivorship_order(['seen_on is not null', 'seen_on', 'birth_month']) }}) as birth_month,
    -- a stated category, however old, says more than "not stated"
    coalesce(
        arg_max(ethnic_category, {{ survivorship_order(['seen_on is not null', 'seen_on', 'ethnic_category']) }}) filter (where ethnic_category between 'A' and 'S'),
        arg_max(ethnic_category, {{ survivorship_order(['seen_on is not null', 'seen_on', 'ethnic_category']) }})
    ) as ethnic_category_code,
    coalesce(
        max(seen_on) filter (where ethnic_category between 'A' and 'S'),
        max(seen_on) filter (where ethnic_category is not null)
    ) as ethnicity_recorded_on,
    max(death_date) as death_date,
    false as is_test_record,
    coalesce(bool_or(withheld_identity_reason in ('01', '02', '03')), false) as is_sensitive,
    false as is_restricted,
    max(_changed_seq) as _changed_seq,
    false as is_deleted
from sighting
group by record_token
