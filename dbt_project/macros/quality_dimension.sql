{#
  Dimensions of data quality as DAMA UK names them (The Six Primary Dimensions for Data Quality Assessment, 2013), less accuracy, which
  needs a truth to compare with. orchestration/feedback/kinds.py says the same of single faults.
#}

{# Dimension that a reason of quarantine speaks of; NULL for a reason that says nothing against the row. #}
{% macro dimension_of_reason(reason_code) -%}
    case
        when {{ reason_code }} in ('missing_value', 'missing_key') then 'completeness'
        when {{ reason_code }} in ('duplicate', 'overtaken') then 'uniqueness'
        when {{ reason_code }} not in ('superseded', 'no_agreement', 'landed_before') then 'validity'
    end
{%- endmacro %}

{# Dimension that a check of what landed speaks of. #}
{% macro dimension_of_rule(rule) -%}
    case
        when split_part({{ rule }}, ':', 1) in ('not_null', 'nhs_number_valid') then 'completeness'
        when split_part({{ rule }}, ':', 1) = 'unique' then 'uniqueness'
        when split_part({{ rule }}, ':', 1) in ('in_set', 'between', 'nhs_number_not_placeholder') then 'validity'
        else 'consistency'
    end
{%- endmacro %}
