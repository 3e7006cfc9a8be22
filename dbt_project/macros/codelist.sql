{#
  The only way from codelists to events. Returns a parenthesised sub-select of the events of `events` (a core event table with
  `code_system`, `code` and `recorded_on`) whose code is in a codelist of `code_system`, with all columns of `events` and
  `codelist_id` and `category` of the code. A code in two codelists gives two rows. Legally restricted codes (seed
  `sensitive_code`) are left out, and so is what was not yet recorded on the run's date: a run of a past date finds what could be
  known then.

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

    -- what may serve no secondary use serves nothing that is derived for every purpose
    kept_out as (
        select code
        from {{ ref('sensitive_code') }}
        where code_system = '{{ code_system }}'
            and restriction = 'legally_restricted'
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
        where not exists (select 1 from kept_out where left(used.code, length(kept_out.code)) = kept_out.code)
    )
    {%- else -%}
    matched as (
        select
            code,
            codelist_id,
            category
        from entry
        where code not in (select code from kept_out)
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
        and (events.recorded_on is null or events.recorded_on <= {{ as_of() }})
)
{%- endmacro %}


{# Sensitive codes as they occur in `events`: `code_system`, `code`, `restriction`. The few distinct codes are matched first. #}
{% macro matched_sensitive_codes(events) -%}
(
    select distinct
        used.code_system,
        used.code,
        entry.restriction
    from (select distinct code_system, code from {{ events }}) as used
    inner join {{ ref('sensitive_code') }} as entry
        on used.code_system = entry.code_system
        and case entry.code_system when 'icd10' then left(used.code, length(entry.code)) else used.code end = entry.code
)
{%- endmacro %}
