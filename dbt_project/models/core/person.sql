with address as (
    select
        person_id,
        lsoa_code,
        is_no_fixed_abode
    from {{ ref('person_address') }}
    where (valid_from is null or valid_from <= {{ as_of() }})
        and (valid_to is null or valid_to >= {{ as_of() }})
),

registration as (
    select
        person_id,
        practice_code
    from {{ ref('person_registration') }}
    where (valid_from is null or valid_from <= {{ as_of() }})
        and (valid_to is null or valid_to >= {{ as_of() }})
),

-- a practice sits in one PCN and one place at a time; the code only makes a supplier's contradiction come out the same every night
hierarchy as (
    select
        organisation_code as practice_code,
        min(ancestor_code) filter (where ancestor_type = 'pcn') as pcn_code,
        min(ancestor_code) filter (where ancestor_type = 'place') as place_code
    from {{ ref('organisation_hierarchy') }}
    where organisation_type = 'practice'
        and hierarchy = 'commissioning'
        and (valid_from is null or valid_from <= {{ as_of() }})
        and (valid_to is null or valid_to >= {{ as_of() }})
    group by organisation_code
)

select
    demographics.person_id,
    demographics.birth_month,
    {{ age_in_years('demographics.birth_month', 'coalesce(death.death_date, ' ~ as_of() ~ ')') }} as age_years,
    demographics.sex,
    demographics.ethnic_category_code,
    ethnic_category.ethnic_category_name,
    ethnic_category.ethnic_group,
    coalesce(ethnic_category.is_minority, false) as is_minority_ethnic,
    address.lsoa_code,
    coalesce(address.is_no_fixed_abode, false) as is_no_fixed_abode,
    lsoa.borough_code,
    cast(lsoa.imd_decile as integer) as imd_decile,
    case when death.person_id is null then registration.practice_code end as practice_code,
    case when death.person_id is null then hierarchy.pcn_code end as pcn_code,
    case when death.person_id is null then hierarchy.place_code end as place_code,
    death.person_id is null and registration.practice_code is not null as is_registered,
    death.person_id is null as is_alive,
    death.death_date,
    cast({{ dbt.date_trunc('month', 'death.death_date') }} as date) as death_month,
    demographics.n_sources,
    demographics.sources,
    demographics.n_records,
    demographics.first_linked_on
from {{ ref('person_demographics') }} as demographics
left join {{ ref('death') }} as death
    on demographics.person_id = death.person_id
left join {{ ref('ethnic_category') }} as ethnic_category
    on demographics.ethnic_category_code = ethnic_category.ethnic_category_code
left join address
    on demographics.person_id = address.person_id
left join {{ ref('lsoa') }} as lsoa
    on address.lsoa_code = lsoa.lsoa_code
left join registration
    on demographics.person_id = registration.person_id
left join hierarchy
    on registration.practice_code = hierarchy.practice_code
