{#
  The union of a subject's sources, by load: the body of every model in core/events.

      {{ event_table([ref('int_observation__gp_emis'), ref('int_observation__gp_systmone')], ['event_key', 'source', ...]) }}

  Relations are a literal list of refs, so that lineage is known when the project is parsed; columns exclude the two technical
  ones. A first build takes every row that is not deleted. Later builds take what changed since the newest change held of each
  source, tombstones included: the folder's configuration replaces rows by (source, event_key) and then drops the tombstones.
  A source's rows are filtered with a literal, so that DuckDB skips what has not changed.
#}
{% macro event_table(relations, columns) -%}
    {%- set seen = _seen_changes() if execute and is_incremental() else none -%}
    {%- for relation in relations %}
select
        {%- for column in columns %}
    {{ column }},
        {%- endfor %}
    cast(_changed_seq as integer) as _changed_seq,
    is_deleted
from {{ relation }}
        {%- if seen is none %}
where not is_deleted
        {%- else %}
where _changed_seq > {{ _seen_change_of(relation, seen) }}
        {%- endif %}
        {%- if not loop.last %}

union all
{% endif %}
    {%- endfor %}
{%- endmacro %}


{# Newest change held of each source; in a unit test, whose `this` is not in the database, nothing. #}
{% macro _seen_changes() -%}
    {%- set seen = {} -%}
    {%- if model.resource_type != 'unit_test' -%}
        {%- for row in run_query('select source, max(_changed_seq) from ' ~ this ~ ' group by source').rows -%}
            {%- do seen.update({row[0]: row[1] | int}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(seen) }}
{%- endmacro %}


{# Newest change held of the source that int_<subject>__<source> brings. #}
{% macro _seen_change_of(relation, seen) -%}
    {%- set source_name = relation.identifier.split('__')[-1] -%}
    {%- if model.resource_type == 'unit_test' -%}
        (select coalesce(max(_changed_seq), 0) from {{ this }} where source = '{{ source_name }}')
    {%- else -%}
        {{ seen.get(source_name, 0) }}
    {%- endif -%}
{%- endmacro %}
