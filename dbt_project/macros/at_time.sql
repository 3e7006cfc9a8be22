{# Timestamp of a date and a time of day held as text; midnight when the time is missing or unreadable. #}
{% macro at_time(day, time_text, format='%H%M%S') -%}
    {{ day }} + coalesce(cast(try_strptime({{ time_text }}, '{{ format }}') as time), time '00:00:00')
{%- endmacro %}
