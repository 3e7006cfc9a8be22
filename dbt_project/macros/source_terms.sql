{#
  A relation of what the contracts say of each source: `source`, `cadence`, `stale_after_days`. Internal sources are left out.
  Contracts are known once the project has been read, so a parse sees an empty relation of the same shape.
#}
{% macro source_terms() -%}
    {%- set terms = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() -%}
            {%- set contract = (node.source_meta or {}).get('contract') -%}
            {%- if contract and not contract.get('internal') -%}
                {%- do terms.update({node.source_name: contract}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
(
    select
        cast(null as varchar) as source,
        cast(null as varchar) as cadence,
        cast(null as integer) as stale_after_days
    where false
    {%- for name, contract in terms | dictsort %}
    union all
    select '{{ name }}', '{{ contract.cadence }}', {{ contract.stale_after_days }}
    {%- endfor %}
)
{%- endmacro %}
