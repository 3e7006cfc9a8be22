-- a practice sits in one PCN and one place at a time; min only makes a supplier's contradiction come out the same every night
with hierarchy as (
    select
        month.month_end,
        membership.organisation_code as practice_code,
        min(membership.ancestor_code) filter (where membership.ancestor_type = 'pcn') as pcn_code,
        min(membership.ancestor_code) filter (where membership.ancestor_type = 'place') as place_code
    from {{ ref('organisation_hierarchy') }} as membership
    inner join {{ ref('segment_month') }} as month
        on (membership.valid_from is null or membership.valid_from <= month.month_end)
        and (membership.valid_to is null or membership.valid_to >= month.month_end)
    where membership.organisation_type = 'practice'
        and membership.hierarchy = 'commissioning'
    group by
        month.month_end,
        membership.organisation_code
)

select
    population.person_id,
    population.month_end,
    registration.practice_code,
    hierarchy.pcn_code,
    hierarchy.place_code
from {{ ref('segment_population') }} as population
inner join {{ ref('person_registration') }} as registration
    on population.person_id = registration.person_id
    and (registration.valid_from is null or registration.valid_from <= population.month_end)
    and (registration.valid_to is null or registration.valid_to >= population.month_end)
left join hierarchy
    on registration.practice_code = hierarchy.practice_code
    and population.month_end = hierarchy.month_end
