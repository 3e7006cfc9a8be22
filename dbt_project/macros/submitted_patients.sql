{#
  Community and mental health trusts send a row for every patient and month (CYP001, MHS001): what the newest months say is the
  patient's record, and a run of months with one postcode is an address. `patients` is the staging relation of those rows.
#}

{# Body of int_record__<source>. `month_id`, `gender` and `provider` are the columns that number the month, hold the
   stated gender and name the trust. #}
{% macro record_of_submissions(patients, source_name, month_id, gender, provider) -%}
with month as (
    select
        record_token,
        {{ provider }} as organisation_code,
        {{ month_id }} as month_id,
        reporting_period_start_date,
        {{ gender }} as gender_code,
        birth_month,
        ethnic_category,
        death_date,
        _changed_seq,
        is_deleted
    from {{ patients }}
)

select
    record_token,
    '{{ source_name }}' as source,
    min(organisation_code) as organisation_code,
    -- a patient has one row a month; should there be two, the value itself settles which stands
    arg_max(
        case gender_code when '1' then 'M' when '2' then 'F' when '9' then 'I' end,
        {{ survivorship_order(['month_id', 'gender_code']) }}
    )
        filter (where not is_deleted) as sex,
    arg_max(birth_month, {{ survivorship_order(['month_id', 'birth_month']) }}) filter (where not is_deleted) as birth_month,
    -- a stated category, however old, says more than "not stated"
    coalesce(
        arg_max(ethnic_category, {{ survivorship_order(['month_id', 'ethnic_category']) }}) filter (where ethnic_category between 'A' and 'S' and not is_deleted),
        arg_max(ethnic_category, {{ survivorship_order(['month_id', 'ethnic_category']) }}) filter (where not is_deleted)
    ) as ethnic_category_code,
    coalesce(
        max(reporting_period_start_date) filter (where ethnic_category between 'A' and 'S' and not is_deleted),
        max(reporting_period_start_date) filter (where ethnic_category is not null and not is_deleted)
    ) as ethnicity_recorded_on,
    arg_max_null(death_date, {{ survivorship_order(['month_id', 'death_date']) }}) filter (where not is_deleted) as death_date,
    false as is_test_record,
    false as is_sensitive,
    false as is_restricted,
    max(_changed_seq) as _changed_seq,
    bool_and(is_deleted) as is_deleted
from month
group by record_token
{%- endmacro %}


{# Body of int_address__<source>. #}
{% macro address_of_submissions(patients, source_name) -%}
with month as (
    select
        record_token,
        postcode_token,
        postcode_state,
        reporting_period_start_date,
        max(reporting_period_start_date) over (partition by record_token) as newest_start_date
    from {{ patients }}
    where not is_deleted and postcode_state <> 'missing'
)

select
    record_token,
    '{{ source_name }}' as source,
    postcode_token,
    postcode_state,
    cast(null as uuid) as address_token,
    case when postcode_state = 'no_fixed_abode' then 'no_fixed_abode' end as residence_type,
    min(reporting_period_start_date) as valid_from,
    -- the last day of the last month in which the postcode was sent, open while it is the newest
    case
        when max(reporting_period_start_date) < any_value(newest_start_date)
            then last_day(max(reporting_period_start_date))
    end as valid_to,
    false as is_deleted
from month
group by record_token, postcode_token, postcode_state
{%- endmacro %}
