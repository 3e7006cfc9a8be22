{#
  Areas of an aggregate: every practice, PCN and place, and the whole. An area that is not known is a part like any other, because
  a total that is not the sum of the parts shown would tell of the rest.

  `open_residents(parts)` is the body of a CTE: everybody who counts in the latest month, with their place and what else the
  aggregate divides by (`parts`, name -> expression over `person` and `population`).

  `area_parts(levels, table)` are the columns to select from a table with practice_code, pcn_code and place_code; `area_rollup(levels)` goes
  into its group by; `area_columns(levels)` then names each area. `levels` runs from the largest: ['place', 'pcn', 'practice'].
#}
{% macro area_parts(levels, table) -%}
    {%- set known = {
        'place': "coalesce(" ~ table ~ ".place_code, 'not_known')",
        'pcn': "coalesce(" ~ table ~ ".pcn_code, 'no_pcn_in_' || coalesce(" ~ table ~ ".place_code, 'not_known'))",
        'practice': table ~ '.practice_code',
    } -%}
    {%- for level in levels %}
    {{ known[level] }} as {{ level }}_part{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{% macro area_rollup(levels) -%}
    rollup ({% for level in levels %}{{ level }}_part{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}


{% macro area_columns(levels) -%}
    {%- set smallest_first = levels | reverse | list -%}
    case
        {%- for level in smallest_first %}
        when {{ level }}_part is not null then '{{ level }}'
        {%- endfor %}
        else 'all'
    end as area_type,
    coalesce({% for level in smallest_first %}{{ level }}_part, {% endfor %}'all') as area_code,
    case
        {%- for level in smallest_first %}
        when {{ level }}_part is not null then {{ smallest_first[loop.index] ~ '_part' if not loop.last else "'all'" }}
        {%- endfor %}
    end as parent_area_code
{%- endmacro %}


{% macro open_residents(parts) -%}
select
        population.month_end,
        {{ area_parts(['place'], 'population') }}
        {%- for name, expression in parts.items() %},
        {{ expression }} as {{ name }}
        {%- endfor %}
    from {{ ref('open_population') }} as population
    inner join {{ ref('open_person') }} as person
        on population.person_id = person.person_id
    where population.month_end = (select max(month_end) from {{ ref('segment_month') }})
{%- endmacro %}
