-- Practice, address and age are those of the day: a mover's past months stay where they lived.
select
    day.counted_on,
    registration.person_id,
    registration.practice_code,
    {{ age_band(age_in_years('person.birth_month', 'day.counted_on')) }} as age_band,
    coalesce(person.sex, 'not_known') as sex,
    coalesce(nullif(person.ethnic_group, 'Not stated'), 'not_known') as ethnic_group,
    coalesce(lpad(cast(cast(lsoa.imd_decile as integer) as varchar), 2, '0'), 'not_known') as deprivation_decile,
    permission.is_direct_care_permitted,
    permission.is_secondary_use_permitted,
    day.is_run_date or day.is_latest_month_end as is_latest
from {{ ref('count_day') }} as day
inner join {{ ref('person_registration') }} as registration
    on (registration.valid_from is null or registration.valid_from <= day.counted_on)
    and (registration.valid_to is null or registration.valid_to >= day.counted_on)
inner join {{ ref('person') }} as person
    on registration.person_id = person.person_id
    and (person.birth_month is null or person.birth_month <= day.counted_on)
    and (person.death_date is null or person.death_date > day.counted_on)
inner join {{ ref('person_permission') }} as permission
    on registration.person_id = permission.person_id
left join {{ ref('person_address') }} as address
    on registration.person_id = address.person_id
    and (address.valid_from is null or address.valid_from <= day.counted_on)
    and (address.valid_to is null or address.valid_to >= day.counted_on)
left join {{ ref('lsoa') }} as lsoa
    on address.lsoa_code = lsoa.lsoa_code
