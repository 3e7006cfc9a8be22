{#
  dbt's delete+insert for DuckDB, with one difference: a key column without a value matches itself. Some suppliers' keys have parts that
  may be blank, and dbt's `=` would leave the old row beside the new one.
#}
{% macro duckdb__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates) -%}
    {%- set key = [unique_key] if unique_key is string else unique_key -%}
    {%- set columns = get_quoted_csv(dest_columns | map(attribute='name')) -%}

    delete from {{ target }} as held
    using {{ source }} as arrived
    where
        {%- for column in key %}
        held.{{ column }} is not distinct from arrived.{{ column }}{{ ' and' if not loop.last }}
        {%- endfor %}
        {%- for predicate in incremental_predicates or [] %}
        and {{ predicate }}
        {%- endfor %};

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ source }}
{%- endmacro %}
