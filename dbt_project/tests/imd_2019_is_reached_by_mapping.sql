-- Refuses a direct use of IMD 2019: its figures sit on LSOAs of 2011, so only `lsoa`, which goes through the mapping, may read them.
-- One row per model that reads them all the same.
{% set offenders = [] %}
{% if execute %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' and node.name != 'lsoa' %}
        {% for parent in node.depends_on.nodes if parent.split('.')[-1] in ('stg_reference__imd_2019', 'imd_2019') %}
            {% if node.name != 'stg_reference__imd_2019' %}
                {% do offenders.append(node.name) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
{% endif %}

{% for name in offenders %}
select '{{ name }}' as model_name
union all
{% endfor %}
select cast(null as varchar) as model_name
where false
