with opt_out as (
    select
        person_id,
        bool_or(opt_out_type = 'type_1' and status = 'dissent') as has_type_1_dissent,
        bool_or(opt_out_type = 'national' and status = 'dissent') as has_national_opt_out
    from {{ ref('opt_out') }}
    group by person_id
)

select
    person.person_id,
    not person.is_test_record as is_direct_care_permitted,
    not person.is_test_record
    and not person.is_sensitive
    and not coalesce(opt_out.has_type_1_dissent, false)
    and not coalesce(opt_out.has_national_opt_out, false) as is_secondary_use_permitted,
    person.is_test_record,
    person.is_sensitive,
    coalesce(opt_out.has_type_1_dissent, false) as has_type_1_dissent,
    coalesce(opt_out.has_national_opt_out, false) as has_national_opt_out
from {{ ref('person_demographics') }} as person
left join opt_out
    on person.person_id = opt_out.person_id
