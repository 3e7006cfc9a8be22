{# What rows of `care_fact_rule` and `care_gap_rule` say of dates, values and ages. #}

{# A date lies in the months up to the run's date; any date does when no number of months is given. #}
{% macro is_within(date, months) -%}
    ({{ months }} is null or {{ date }} > {{ date_plus('month', '-' ~ months, as_of()) }})
{%- endmacro %}

{# A value lies between the limits of a fact; a limit that is not given does not bind. #}
{% macro is_in_limits(value, fact) -%}
    (
        ({{ fact }}.value_from is null or {{ value }} > {{ fact }}.value_from or ({{ fact }}.is_from_included and {{ value }} = {{ fact }}.value_from))
        and ({{ fact }}.value_to is null or {{ value }} < {{ fact }}.value_to or ({{ fact }}.is_to_included and {{ value }} = {{ fact }}.value_to))
    )
{%- endmacro %}

{# The age on the run's date is at least `min_age` and not yet `below_age`, in years of which a half is six months. #}
{% macro is_of_age(birth_month, rule) -%}
    (
        ({{ rule }}.min_age is null or date_diff('month', {{ birth_month }}, {{ as_of() }}) >= {{ rule }}.min_age * 12)
        and ({{ rule }}.below_age is null or date_diff('month', {{ birth_month }}, {{ as_of() }}) < {{ rule }}.below_age * 12)
    )
{%- endmacro %}
