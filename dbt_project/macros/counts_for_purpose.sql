{#
  Counts of people are made once for each purpose that publishes them, over the people whom it permits: column `counted_for` says for which.
#}

{# The purposes for which people are counted. #}
{% macro counting_purposes() -%}
    {{ return(['direct_care', 'secondary_use']) }}
{%- endmacro %}


{# People of each purpose, one column each: `n` becomes n_direct_care and n_secondary_use. The table has is_<purpose>_permitted. #}
{% macro count_by_purpose(name, table) -%}
    {%- for purpose in counting_purposes() %}
        count(*) filter (where {{ table }}.is_{{ purpose }}_permitted) as {{ name }}_{{ purpose }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# One row a purpose of a table with such columns: `keys`, counted_for, and each of `counts` under its own name. #}
{% macro rows_by_purpose(table, keys, counts) -%}
    {%- for purpose in counting_purposes() %}
    select
        '{{ purpose }}' as counted_for,
        {{ keys | join(',\n        ') }},
        {%- for count in counts %}
        {{ count }}_{{ purpose }} as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ table }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# A base table of such counts as one purpose may see it: the columns that the mart's contract lists, of the people of the purpose. #}
{% macro counts_for_purpose(relation, purpose) -%}
{{ without_people(relation) }}
where base.counted_for = '{{ purpose }}'
{%- endmacro %}
