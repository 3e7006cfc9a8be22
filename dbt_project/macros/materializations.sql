{#
  Tables and views replaced in one statement. dbt's own build beside, rename twice and drop what was, in two transactions: five to
  seven statements a model, which is most of what a small model costs. DuckDB's DDL is transactional: readers and a killed run see
  the old or the new, never neither.
#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] -%}
    {{ return(_replaced('table')) }}
{%- endmaterialization %}


{% materialization view, adapter='duckdb', supported_languages=['sql'] -%}
    {{ return(_replaced('view')) }}
{%- endmaterialization %}


{% macro _replaced(kind) -%}
    {%- set held = load_cached_relation(this) -%}
    {%- set relation = this.incorporate(type=kind) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') %}
        {%- if held %}
            drop {{ held.type }} {{ held }};
        {%- endif %}
        {{ create_table_as(false, relation, compiled_code) if kind == 'table' else create_view_as(relation, compiled_code) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do persist_docs(relation, model) -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [relation]}) }}
{%- endmacro %}


{# Comments on the columns that the model describes. A mart's contract says that it has them, so the table is not asked for its columns. #}
{% macro duckdb__alter_column_comment(relation, column_dict) -%}
    {%- for column in column_dict.values() %}
    comment on column {{ relation }}.{{ adapter.quote(column.name) }} is {{ duckdb_escape_comment(column.description) }};
    {%- endfor %}
{%- endmacro %}
