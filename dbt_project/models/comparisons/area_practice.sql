select
    day.counted_on,
    'practice' as area_type,
    practice.practice_code as area_code,
    practice.practice_code
from {{ ref('count_day') }} as day
inner join (select distinct counted_on, practice_code from {{ ref('measured_person') }}) as practice
    on day.counted_on = practice.counted_on

union all

select distinct
    day.counted_on,
    membership.ancestor_type as area_type,
    membership.ancestor_code as area_code,
    membership.organisation_code as practice_code
from {{ ref('organisation_hierarchy') }} as membership
inner join {{ ref('count_day') }} as day
    on (membership.valid_from is null or membership.valid_from <= day.counted_on)
    and (membership.valid_to is null or membership.valid_to >= day.counted_on)
inner join (select distinct counted_on, practice_code from {{ ref('measured_person') }}) as practice
    on membership.organisation_code = practice.practice_code
    and day.counted_on = practice.counted_on
where membership.organisation_type = 'practice'
    and membership.ancestor_type in ('pcn', 'lcp', 'place', 'ics')
