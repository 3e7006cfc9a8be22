-- A council repeats an event in every reporting period, not always in the same case: those rows are one event, as last reported.
with normalised as (
    select
        la_code,
        record_token,
        lower(trim(event_type)) as event_type,
        lower(trim(coalesce(event_reference, ''))) as event_reference,
        event_start_date,
        lower(trim(coalesce(service_component, ''))) as component,
        reporting_period_end_date,
        trim(client_type) as client_type,
        trim(primary_support_reason) as primary_support_reason,
        trim(service_type) as service_type,
        trim(service_component) as service_component,
        event_end_date,
        event_outcome,
        unit_cost_gbp,
        lower(trim(cost_frequency)) as cost_frequency,
        planned_units_per_week,
        _row_hash,
        _changed_seq,
        is_deleted
    from {{ ref('stg_social_care_cld__client_level_data') }}
),

ranked as (
    select
        normalised.*,
        max(_changed_seq) over event_rows as last_changed_seq,
        bool_and(is_deleted) over event_rows as is_event_deleted,
        row_number() over (
            partition by record_token, event_type, event_reference, event_start_date, component
            order by is_deleted, reporting_period_end_date desc, _row_hash
        ) as recency
    from normalised
    window event_rows as (partition by record_token, event_type, event_reference, event_start_date, component)
)

select
    'client_level_data|' || cast(record_token as varchar) || '|' || event_type || '|' || event_reference
    || '|' || cast(event_start_date as varchar) || '|' || component as event_key,
    record_token,
    la_code as council_code,
    event_type,
    client_type,
    primary_support_reason,
    service_type,
    service_component,
    event_start_date as started_on,
    event_end_date as ended_on,
    event_outcome,
    unit_cost_gbp,
    cost_frequency,
    planned_units_per_week,
    last_changed_seq as _changed_seq,
    is_event_deleted as is_deleted
from ranked
where recency = 1
