with month as (
    select
        record_token,
        unique_month_id as month_id,
        reporting_period_start_date,
        stated_gender as gender_code,
        birth_month,
        ethnic_category,
        death_date,
        _changed_seq,
        is_deleted
    from {{ ref('stg_community_csds__cyp001_mpi') }}
)

select
    record_token,
    'community_csds' as source,
    arg_max(case gender_code when '1' then 'M' when '2' then 'F' when '9' then 'I' end, month_id)
        filter (where not is_deleted) as sex,
    arg_max(birth_month, month_id) filter (where not is_deleted) as birth_month,
    -- a stated category, however old, says more than "not stated"
    coalesce(
        arg_max(ethnic_category, month_id) filter (where ethnic_category between 'A' and 'S' and not is_deleted),
        arg_max(ethnic_category, month_id) filter (where not is_deleted)
    ) as ethnic_category_code,
    coalesce(
        max(reporting_period_start_date) filter (where ethnic_category between 'A' and 'S' and not is_deleted),
        max(reporting_period_start_date) filter (where ethnic_category is not null and not is_deleted)
    ) as ethnicity_recorded_on,
    arg_max_null(death_date, month_id) filter (where not is_deleted) as death_date,
    false as is_test_record,
    false as is_sensitive,
    max(_changed_seq) as _changed_seq,
    bool_and(is_deleted) as is_deleted
from month
group by record_token
