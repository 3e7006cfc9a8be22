{%- set attributes = [
    'sex', 'birth_month', 'ethnic_category_code', 'ethnicity_recorded_on', 'is_test_record', 'is_sensitive', 'is_restricted',
    '_changed_seq'
] -%}
{%- set linkage_facts = [
    'is_person_changed', 'is_in_review', 'has_number', 'is_register', 'name_structure', 'birth_date_state', 'postcode_state',
    'is_unlinkable', 'withheld_outcome'
] -%}
with part as (
    {% for source_record in [
        ref('int_record__demographics_pds'),
        ref('int_record__gp_emis'),
        ref('int_record__gp_systmone'),
        ref('int_record__acute_sus'),
        ref('int_record__community_csds'),
        ref('int_record__mental_health_mhsds'),
        ref('int_record__social_care_cld'),
        ref('int_record__housing'),
        ref('int_record__voluntary_sector'),
    ] %}
    select
        record_token,
        organisation_code,
        -- a row that its supplier has withdrawn says nothing any more but whose it was
        {%- for attribute in attributes %}
        case when not is_deleted then {{ attribute }} end as {{ attribute }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source_record }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- rows that name the organisation decide for it; the source's general row speaks for the others
standing as (
    select
        link.record_token,
        link.source,
        link.person_id,
        link.match_method,
        link.match_weight,
        link.linked_on,
        {%- for fact in linkage_facts %}
        link.{{ fact }},
        {%- endfor %}
        part.organisation_code,
        {%- for attribute in attributes %}
        part.{{ attribute }},
        {%- endfor %}
        {%- for term in ['is_in_force', 'is_cross_border', 'covers_direct_care', 'covers_secondary_use', 'covers_open'] %}
        coalesce(own.{{ term }}, general.{{ term }}, false) as {{ term }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_linkage__person_record') }} as link
    left join part
        on link.record_token = part.record_token
    left join {{ ref('stg_operations__sharing_agreement') }} as own
        on link.source = own.source
        and part.organisation_code = own.organisation_code
    left join {{ ref('stg_operations__sharing_agreement') }} as general
        on link.source = general.source
        and general.organisation_code = '*'
)

select
    record_token,
    source,
    person_id,
    match_method,
    match_weight,
    linked_on,
    {%- for fact in linkage_facts %}
    {{ fact }},
    {%- endfor %}
    organisation_code,
    {%- for attribute in attributes %}
    {{ attribute }},
    {%- endfor %}
    covers_direct_care,
    covers_secondary_use,
    covers_open,
    -- a partner's record counts only for people whom our own sources know
    is_in_force and (
        not is_cross_border
        or bool_or(is_in_force and not is_cross_border) over (partition by person_id)
    ) as is_shared
from standing
