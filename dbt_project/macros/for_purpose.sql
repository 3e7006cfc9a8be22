{#
  A base table as one lawful purpose may see it: the columns that the mart's contract lists, of the people whom the purpose permits.
  The body of every mart with people. `permission` is the core table that says who is permitted for what.
#}
{% macro for_purpose(relation, permission, purpose) -%}
{{ _contract_columns(relation) }}
inner join {{ permission }} as permission
    on base.person_id = permission.person_id
    and permission.is_{{ purpose }}_permitted
{%- endmacro %}


{# A base table that holds nothing about a person: the columns that the mart's contract lists. Refuses a table with people. #}
{% macro without_people(relation) -%}
    {%- if 'person_id' in model.columns -%}
        {{ exceptions.raise_compiler_error(model.name ~ ' has people: take it through for_purpose, which leaves out who may not be seen') }}
    {%- endif -%}
{{ _contract_columns(relation) }}
{%- endmacro %}


{# The columns of the model's contract from a base table called `base`. A parse, which knows no contract yet, sees all columns. #}
{% macro _contract_columns(relation) -%}
select
    {%- for column in model.columns.values() %}
    base.{{ column.name }}{{ ',' if not loop.last }}
    {%- else %}
    base.*
    {%- endfor %}
from {{ relation }} as base
{%- endmacro %}
