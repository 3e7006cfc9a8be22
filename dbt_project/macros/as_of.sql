{# The run's date as a date literal. Refuses a run without one, so that no model can fall back on today's date. #}
{% macro as_of() -%}
    {%- set value = var('as_of', none) -%}
    {%- if not value and execute -%}
        {{ exceptions.raise_compiler_error("var 'as_of' is missing; give the run's date, for example --vars '{as_of: 2025-04-01}'") }}
    {%- endif -%}
    cast('{{ value or "1970-01-01" }}' as date)
{%- endmacro %}
