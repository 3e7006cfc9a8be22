select
    event.event_key,
    'social_care_cld' as source,
    event.record_token,
    event.council_code as organisation_code,
    event.client_type,
    event.event_type,
    event.service_type,
    event.service_component,
    event.primary_support_reason,
    event.started_on,
    event.ended_on,
    -- a one-off cost, or a frequency that nobody has described, has no cost a week
    event.unit_cost_gbp
    * case when frequency.uses_planned_units then event.planned_units_per_week else frequency.units_per_week end
        as weekly_cost_gbp,
    event._changed_seq,
    event.is_deleted
from {{ ref('int_social_care_event__social_care_cld') }} as event
left join {{ ref('care_cost_frequency') }} as frequency
    on event.cost_frequency = frequency.cost_frequency
