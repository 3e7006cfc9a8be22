{# The first day of the months for which activity is counted: var `activity_months`, the month of the run among them. #}
{% macro activity_starts_on() -%}
    cast({{ dbt.date_trunc('month', dbt.dateadd('month', 1 - var('activity_months'), as_of())) }} as date)
{%- endmacro %}
