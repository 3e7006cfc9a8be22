{# What a measure is called in one word: its kind, its scheme if it has one, and its code. #}
{% macro measure_id(kind, scheme, code) -%}
    {{ kind }} || ':' || coalesce({{ scheme }} || ':', '') || {{ code }}
{%- endmacro %}
