{# One row per codelist and code: how often it is recorded of the people whom the purpose permits. An entry of ICD-10 counts every
   code that begins with it. #}
{% macro codelist_use(codelist, code_use, purpose) -%}
select
    entry.codelist_id,
    entry.code_system,
    entry.code,
    entry.term,
    entry.category,
    entry.version,
    entry.source,
    entry.is_loaded,
    cast(coalesce(sum(used.n_events_{{ purpose }}), 0) as bigint) as n_events
from {{ codelist }} as entry
left join {{ code_use }} as used
    on entry.code_system = used.code_system
    and case entry.code_system when 'icd10' then left(used.code, length(entry.code)) else used.code end = entry.code
group by all
{%- endmacro %}


{# One row per codelist: which version is in use, how many of its codes are recorded, and how many rules ask for it. #}
{% macro codelist_version(codelist_of_purpose, codelist_rule) -%}
with rules as (
    select
        codelist_id,
        cast(count(*) as integer) as n_definitions
    from {{ codelist_rule }}
    group by codelist_id
)

select
    entry.codelist_id,
    entry.code_system,
    entry.version,
    entry.is_loaded,
    case when entry.is_loaded then min(entry.source) end as loaded_from,
    cast(count(*) as integer) as n_codes,
    cast(count(*) filter (where entry.category = 'RESOLUTION') as integer) as n_resolution_codes,
    cast(count(*) filter (where entry.n_events > 0) as integer) as n_codes_recorded,
    cast(sum(entry.n_events) as bigint) as n_events,
    coalesce(any_value(rules.n_definitions), 0) as n_definitions
from {{ codelist_of_purpose }} as entry
left join rules
    on entry.codelist_id = rules.codelist_id
group by
    entry.codelist_id,
    entry.code_system,
    entry.version,
    entry.is_loaded
{%- endmacro %}


{# One row per code that is recorded of many people whom the purpose permits and that nothing here understands. #}
{% macro unmapped_code(code_use, purpose) -%}
{#- as many as national hospital statistics show as a number at all -#}
{%- set fewest_people = 8 -%}
select
    code_system,
    code,
    term,
    n_events_{{ purpose }} as n_events,
    n_people_{{ purpose }} as n_people
from {{ code_use }}
where not is_known
    and n_people_{{ purpose }} >= {{ fewest_people }}
{%- endmacro %}
