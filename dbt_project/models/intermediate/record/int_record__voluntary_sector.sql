-- A client may be referred many times; the latest referral speaks for the record.
with referral as (
    select
        record_token,
        service_code,
        lower(trim(sex)) as sex,
        birth_month,
        upper(trim(ethnic_category_code)) as ethnic_category_code,
        referral_date,
        max(_changed_seq) over (partition by record_token) as _changed_seq,
        bool_and(is_deleted) over (partition by record_token) as is_deleted,
        row_number() over (
            partition by record_token
            order by is_deleted, referral_date desc, referral_ref desc, service_code
        ) as recency
    from {{ ref('stg_voluntary_sector__referral') }}
    where record_token is not null
)

select
    record_token,
    'voluntary_sector' as source,
    service_code as organisation_code,
    case
        when sex in ('m', 'male', 'man') then 'M'
        when sex in ('f', 'female', 'woman') then 'F'
    end as sex,
    birth_month,
    ethnic_category_code,
    referral_date as ethnicity_recorded_on,
    cast(null as date) as death_date,
    false as is_test_record,
    false as is_sensitive,
    false as is_restricted,
    _changed_seq,
    is_deleted
from referral
where recency = 1
