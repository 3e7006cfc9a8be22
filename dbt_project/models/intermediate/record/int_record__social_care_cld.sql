-- The council repeats the person on every event; the event reported last speaks for the record.
with event as (
    select
        record_token,
        la_code,
        gender,
        birth_month,
        ethnicity,
        date_of_death,
        max(_changed_seq) over (partition by record_token) as _changed_seq,
        bool_and(is_deleted) over (partition by record_token) as is_deleted,
        row_number() over (
            partition by record_token
            order by is_deleted, reporting_period_end_date desc, event_start_date desc, _row_hash
        ) as recency
    from {{ ref('stg_social_care_cld__client_level_data') }}
)

select
    record_token,
    'social_care_cld' as source,
    la_code as organisation_code,
    case lower(trim(gender)) when 'male' then 'M' when 'female' then 'F' end as sex,
    birth_month,
    upper(trim(ethnicity)) as ethnic_category_code,
    -- the collection does not say when the category was asked
    cast(null as date) as ethnicity_recorded_on,
    date_of_death as death_date,
    false as is_test_record,
    false as is_sensitive,
    false as is_restricted,
    _changed_seq,
    is_deleted
from event
where recency = 1
