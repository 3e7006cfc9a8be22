select distinct
    registration.person_id,
    month.month_end
from {{ ref('person_registration') }} as registration
inner join {{ ref('segment_month') }} as month
    on (registration.valid_from is null or registration.valid_from <= month.month_end)
    and (registration.valid_to is null or registration.valid_to >= month.month_end)
inner join {{ ref('person') }} as person
    on registration.person_id = person.person_id
where (person.birth_month is null or person.birth_month <= month.month_end)
    and (person.death_date is null or person.death_date > month.month_end)
