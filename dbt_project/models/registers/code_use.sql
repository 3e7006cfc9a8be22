{%- set purposes = ['direct_care', 'secondary_use'] -%}
-- people first, then codes: the few rows of a code and its people are counted, not its many events
with person_code as (
    {% for events in [ref('condition_event'), ref('observation'), ref('medication')] %}
    select
        event.code_system,
        event.code,
        person_record.person_id,
        count(*) as n_events
    from {{ events }} as event
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where event.code_system in ('snomed', 'icd10', 'dmd')
    group by
        event.code_system,
        event.code,
        person_record.person_id
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (
    select
        person_code.code_system,
        person_code.code,
        {%- for purpose in purposes %}
        coalesce(sum(person_code.n_events) filter (where permission.is_{{ purpose }}_permitted), 0) as n_events_{{ purpose }},
        count(distinct person_code.person_id) filter (where permission.is_{{ purpose }}_permitted) as n_people_{{ purpose }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from person_code
    inner join {{ ref('person_permission') }} as permission
        on person_code.person_id = permission.person_id
    group by
        person_code.code_system,
        person_code.code
),

-- words for a code, from the dictionaries that suppliers send
named as (
    select
        code_system,
        code,
        min(term) as term
    from (
        select
            'snomed' as code_system,
            cast(snomed_ct_concept_id as varchar) as code,
            term
        from {{ ref('stg_gp_emis__coding_clinical_code') }}
        where not is_deleted
        union all
        select
            'dmd' as code_system,
            cast(dmd_product_code_id as varchar) as code,
            term
        from {{ ref('stg_gp_emis__coding_drug_code') }}
        where not is_deleted
    ) as dictionary
    group by
        code_system,
        code
),

listed as (
    select distinct
        used.code_system,
        used.code
    from counted as used
    inner join {{ ref('codelist') }} as entry
        on used.code_system = entry.code_system
        and case entry.code_system when 'icd10' then left(used.code, length(entry.code)) else used.code end = entry.code
),

-- codes that are understood without a codelist
mapped as (
    select
        'snomed' as code_system,
        snomed_code as code
    from {{ ref('ethnicity_snomed_to_category') }}
    union
    select
        'snomed' as code_system,
        snomed_code as code
    from {{ ref('type_1_opt_out') }}
)

select
    counted.code_system,
    counted.code,
    named.term,
    listed.code is not null as is_listed,
    listed.code is not null or mapped.code is not null as is_known,
    {%- for purpose in purposes %}
    cast(counted.n_events_{{ purpose }} as bigint) as n_events_{{ purpose }},
    cast(counted.n_people_{{ purpose }} as integer) as n_people_{{ purpose }}{{ ',' if not loop.last }}
    {%- endfor %}
from counted
left join named
    on counted.code_system = named.code_system
    and counted.code = named.code
left join listed
    on counted.code_system = listed.code_system
    and counted.code = listed.code
left join mapped
    on counted.code_system = mapped.code_system
    and counted.code = mapped.code
-- what is legally restricted is told to nobody, its being there neither
where not exists (
    select 1
    from {{ ref('sensitive_code') }} as kept_out
    where kept_out.code_system = counted.code_system
        and kept_out.restriction = 'legally_restricted'
        and case kept_out.code_system when 'icd10' then left(counted.code, length(kept_out.code)) else counted.code end = kept_out.code
)
