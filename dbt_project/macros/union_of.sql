{#
  The rows that stand of a subject that is rebuilt every night: the union of its sources without tombstones.
  Relations are a literal list of refs, so that lineage is known when the project is parsed.
#}
{% macro union_of(relations, columns) -%}
    {%- for relation in relations %}
select
        {%- for column in columns %}
    {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
from {{ relation }}
where not is_deleted
        {%- if not loop.last %}

union all
        {% endif %}
    {%- endfor %}
{%- endmacro %}
