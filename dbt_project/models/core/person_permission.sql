-- Whoever holds a record counts here, shared or not: an objection stands although the agreement that brought it has ended.
with opt_out as (
    select
        person_id,
        {%- for opt_out_type in ['type_1', 'national', 'local'] %}
        bool_or(opt_out_type = '{{ opt_out_type }}' and status = 'dissent') as is_{{ opt_out_type }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('opt_out') }}
    group by person_id
),

purpose as (
    select
        {%- for purpose in ['secondary_use', 'open', 'risk_stratification'] %}
        coalesce(bool_and(is_open) filter (where purpose = '{{ purpose }}'), false) as is_{{ purpose }}_open{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_operations__purpose_state') }}
),

person as (
    select
        record.person_id,
        coalesce(bool_or(record.is_test_record), false) as is_test_record,
        coalesce(bool_or(record.is_restricted), false) as is_restricted,
        coalesce(bool_or(record.is_sensitive), false) as is_sensitive,
        -- what is derived from several records may be used as far as the narrowest of their agreements
        bool_and(record.covers_direct_care) filter (where record.is_shared) as is_direct_care_agreed,
        bool_and(record.covers_secondary_use) filter (where record.is_shared) as is_secondary_use_agreed,
        bool_and(record.covers_open) filter (where record.is_shared) as is_open_agreed
    from {{ ref('record') }} as record
    group by record.person_id
    having bool_or(record.is_shared)
),

objection as (
    select
        person.*,
        coalesce(opt_out.is_type_1, false) as has_type_1_dissent,
        coalesce(opt_out.is_national, false) as has_national_opt_out,
        coalesce(opt_out.is_local, false) as has_local_opt_out,
        not person.is_test_record
        and not person.is_restricted
        and not person.is_sensitive
        and not coalesce(opt_out.is_type_1 or opt_out.is_national or opt_out.is_local, false) as is_planning_permitted
    from person
    left join opt_out
        on person.person_id = opt_out.person_id
)

select
    objection.person_id,
    not objection.is_test_record and not objection.is_restricted and objection.is_direct_care_agreed as is_direct_care_permitted,
    objection.is_planning_permitted and objection.is_secondary_use_agreed and purpose.is_secondary_use_open
        as is_secondary_use_permitted,
    objection.is_planning_permitted
    and objection.is_secondary_use_agreed
    and objection.is_open_agreed
    and purpose.is_open_open as is_open_permitted,
    objection.is_planning_permitted and purpose.is_risk_stratification_open as is_risk_stratification_permitted,
    objection.is_test_record,
    objection.is_restricted,
    objection.is_sensitive,
    objection.has_type_1_dissent,
    objection.has_national_opt_out,
    objection.has_local_opt_out,
    objection.is_direct_care_agreed,
    objection.is_secondary_use_agreed
from objection
cross join purpose
