{#
  The from and where of a score component's events: those of `events` (as for `codelist_events`) in the codelist of a component of
  `kind`, of people, up to the run's date and within the component's window. The CTE `component` must stand; the columns are
  those of `event`, `component` and `person_record`, and further conditions follow with `and`.
#}
{% macro component_events(events, code_system, kind, date_column) -%}
from {{ codelist_events(events, code_system) }} as event
    inner join component
        on event.codelist_id = component.codelist_id
        and component.kind = '{{ kind }}'
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where event.{{ date_column }} <= {{ as_of() }}
        and (
            component.lookback_months is null
            or event.{{ date_column }} > {{ date_plus('month', '-component.lookback_months', as_of()) }}
        )
{%- endmacro %}
