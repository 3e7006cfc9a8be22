-- Main tenants and homeless applicants are records of two systems; an applicant may be in several cases.
with tenant as (
    select
        record_token,
        council_code,
        case when sex in ('M', 'F') then sex end as sex,
        birth_month,
        upper(trim(ethnic_category_code)) as ethnic_category_code,
        _changed_seq,
        is_deleted
    from {{ ref('stg_housing__tenancy') }}
),

applicant as (
    select
        record_token,
        council_code,
        case when sex in ('M', 'F') then sex end as sex,
        birth_month,
        upper(trim(ethnic_category_code)) as ethnic_category_code,
        max(_changed_seq) over (partition by record_token) as _changed_seq,
        bool_and(is_deleted) over (partition by record_token) as is_deleted,
        row_number() over (
            partition by record_token
            order by is_deleted, quarter desc, case_reference desc, council_code
        ) as recency
    from {{ ref('stg_housing__hclic_person') }}
),

record as (
    select
        record_token,
        council_code,
        sex,
        birth_month,
        ethnic_category_code,
        _changed_seq,
        is_deleted
    from tenant

    union all

    select
        record_token,
        council_code,
        sex,
        birth_month,
        ethnic_category_code,
        _changed_seq,
        is_deleted
    from applicant
    where recency = 1
)

select
    record_token,
    'housing' as source,
    council_code as organisation_code,
    sex,
    birth_month,
    ethnic_category_code,
    cast(null as date) as ethnicity_recorded_on,
    cast(null as date) as death_date,
    false as is_test_record,
    false as is_sensitive,
    false as is_restricted,
    _changed_seq,
    is_deleted
from record
