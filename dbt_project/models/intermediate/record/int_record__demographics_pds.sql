-- A person has one row per period of details; the latest one that stands speaks for the record.
with period as (
    select
        record_token,
        sex,
        birth_month,
        date_of_death,
        confidentiality_code,
        max(_changed_seq) over (partition by record_token) as _changed_seq,
        bool_and(is_deleted) over (partition by record_token) as is_deleted,
        row_number() over (partition by record_token order by is_deleted, effective_from desc) as recency
    from {{ ref('stg_demographics_pds__pds_person') }}
)

select
    record_token,
    'demographics_pds' as source,
    cast(null as varchar) as organisation_code,
    case sex when '1' then 'M' when '2' then 'F' when '9' then 'I' end as sex,
    birth_month,
    -- PDS holds no ethnic category
    cast(null as varchar) as ethnic_category_code,
    cast(null as date) as ethnicity_recorded_on,
    date_of_death as death_date,
    false as is_test_record,
    coalesce(confidentiality_code = 'S', false) as is_sensitive,
    coalesce(confidentiality_code = 'S', false) as is_restricted,
    _changed_seq,
    is_deleted
from period
where recency = 1
