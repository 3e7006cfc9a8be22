{#
  The only way from codelists to events. Returns a parenthesised sub-select of the events of `events` (a core event table with
  `code_system` and `code`) whose code is in a codelist of `code_system`, with all columns of `events` and `codelist_id` and
  `category` of the code. A code in two codelists gives two rows.

  ICD-10 lists name categories or subcategories: a code belongs to every entry it begins with. The few distinct codes are matched
  first, so that the events meet an ordinary join.
#}
{% macro codelist_events(events, code_system) -%}
    {%- if code_system not in ('snomed', 'icd10', 'dmd') -%}
        {{ exceptions.raise_compiler_error('codelist_events: unknown code system ' ~ code_system ~ '; one of snomed, icd10, dmd') }}
    {%- endif -%}
(
    with entry as (
        select
            codelist_id,
            code,
            category
        from {{ ref('codelist') }}
        where code_system = '{{ code_system }}'
    ),

    {% if code_system == 'icd10' -%}
    matched as (
        select
            used.code,
            entry.codelist_id,
            entry.category
        from (select distinct code from {{ events }} where code_system = 'icd10') as used
        inner join entry
            on left(used.code, length(entry.code)) = entry.code
    )
    {%- else -%}
    matched as (
        select
            code,
            codelist_id,
            category
        from entry
    )
    {%- endif %}

    select
        events.*,
        matched.codelist_id,
        matched.category
    from {{ events }} as events
    inner join matched
        on events.code = matched.code
    where events.code_system = '{{ code_system }}'
)
{%- endmacro %}
