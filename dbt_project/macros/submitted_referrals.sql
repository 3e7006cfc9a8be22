{#
  Community and mental health trusts send an open referral again every month (CYP101, MHS101): the latest month says whose it is and
  whether it has ended. Body of int_referral__<source>; the other arguments are columns of `referrals`, the staging relation.
#}
{% macro submitted_referrals(referrals, source_name, reference, month_id, provider) -%}
with month as (
    select
        {{ reference }} as reference,
        {{ month_id }} as month_id,
        {{ provider }} as organisation_code,
        record_token,
        referral_request_received_date,
        service_discharge_date,
        _changed_seq,
        is_deleted,
        max({{ month_id }}) filter (where not is_deleted) over (partition by {{ provider }}) as newest_month_id
    from {{ referrals }}
)

select
    'referral|' || reference as event_key,
    '{{ source_name }}' as source,
    arg_max(record_token, month_id) filter (where not is_deleted) as record_token,
    arg_max(organisation_code, month_id) filter (where not is_deleted) as organisation_code,
    arg_max_null(referral_request_received_date, month_id) filter (where not is_deleted) as referred_on,
    arg_max_null(service_discharge_date, month_id) filter (where not is_deleted) as ended_on,
    -- a referral that the trust no longer sends is not known to be open
    coalesce(
        arg_max_null(service_discharge_date, month_id) filter (where not is_deleted) is null
        and max(month_id) filter (where not is_deleted) = max(newest_month_id),
        false
    ) as is_open,
    max(_changed_seq) as _changed_seq,
    bool_and(is_deleted) as is_deleted
from month
group by reference
{%- endmacro %}
