{# The DuckDB functions that models need beyond what dbt offers, each in one place. #}

{# A value that orders candidates of a survivorship rule: compared from left to right, smallest wins. #}
{% macro survivorship_order(expressions) -%}
    row({{ expressions | join(', ') }})
{%- endmacro %}

{# Distinct values of a column of a group, in order, as a list. #}
{% macro distinct_values(column) -%}
    list_sort(list_distinct(list({{ column }})))
{%- endmacro %}

{# Distinct values of a text column of a group, in alphabetical order, as one text. #}
{% macro joined_values(column) -%}
    array_to_string(list_sort(list_distinct(list({{ column }}))), ', ')
{%- endmacro %}

{# The same over a column that holds lists. #}
{% macro joined_lists(column) -%}
    array_to_string(list_sort(list_distinct(flatten(list({{ column }})))), ', ')
{%- endmacro %}

{# Whole days from a date to the run's date. #}
{% macro days_before_as_of(column) -%}
    ({{ as_of() }} - {{ column }})
{%- endmacro %}

{# Completed years between a birth month and a date. The day of birth is not known, so a birthday falls on the first of the month. #}
{% macro age_in_years(birth_month, on_date) -%}
    cast(date_diff('month', {{ birth_month }}, {{ on_date }}) // 12 as integer)
{%- endmacro %}

{# A date some months or years after another. #}
{% macro date_plus(date_part, n, from_date) -%}
    cast({{ dbt.dateadd(date_part, n, from_date) }} as date)
{%- endmacro %}

{# The last day of the month of a date. #}
{% macro month_end(date) -%}
    cast({{ dbt.last_day(date, 'month') }} as date)
{%- endmacro %}

{# A one-column relation with the integers 0 to n - 1, column `n`. #}
{% macro integers(n) -%}
    (select unnest(range(0, {{ n }})) as n)
{%- endmacro %}

{# The rows of a group as one text of JSON, an array of objects in order. `fields` maps each key to an expression. #}
{% macro evidence_list(fields, order_by) -%}
    cast(to_json(list(
        struct_pack({% for key, expression in fields.items() %}{{ key }} := {{ expression }}{{ ', ' if not loop.last }}{% endfor %})
        order by {{ order_by }}
    )) as varchar)
{%- endmacro %}

{# Five-year age band as text that sorts by age: 00-04 to 85-89, 90+; not_known for no age. #}
{% macro age_band(age_years) -%}
    case
        when {{ age_years }} is null or {{ age_years }} < 0 then 'not_known'
        when {{ age_years }} >= 90 then '90+'
        else lpad(cast({{ age_years }} // 5 * 5 as varchar), 2, '0') || '-' || lpad(cast({{ age_years }} // 5 * 5 + 4 as varchar), 2, '0')
    end
{%- endmacro %}

{# Age band of a table that has little room: 00-17, 18-44, 45-64, 65-79, 80+. NULL for no age. #}
{% macro broad_age_band(age_years) -%}
    case
        when {{ age_years }} < 18 then '00-17'
        when {{ age_years }} < 45 then '18-44'
        when {{ age_years }} < 65 then '45-64'
        when {{ age_years }} < 80 then '65-79'
        when {{ age_years }} is not null then '80+'
    end
{%- endmacro %}

{# A date as a British reader expects it: 31 March 2026. #}
{% macro written_date(column) -%}
    strftime({{ column }}, '%-d %B %Y')
{%- endmacro %}

{# A number in as few digits as it needs, at most three after the point: 5, 27.5, 0.138. #}
{% macro plain_number(column) -%}
    regexp_replace(cast(cast({{ column }} as decimal(18, 3)) as varchar), '\.?0+$', '')
{%- endmacro %}

{# One row per row of `relation` and further column that has a value: the `keys`, `feature` (the column) and `quantity` (a double). #}
{% macro unpivoted(relation, keys) -%}
    (
        unpivot (
            select
                {{ keys | join(', ') }},
                cast(columns(* exclude ({{ keys | join(', ') }})) as double)
            from {{ relation }}
        )
        on columns(* exclude ({{ keys | join(', ') }}))
        into name feature value quantity
    )
{%- endmacro %}

{# A whole number in a sentence: words up to ten, digits beyond. #}
{% macro number_in_words(n) -%}
    coalesce(
        ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'][{{ n }} + 1],
        cast({{ n }} as varchar)
    )
{%- endmacro %}
