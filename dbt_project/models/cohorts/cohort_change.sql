with last_release as (
    select distinct
        release_id,
        as_of
    from {{ ref('cohort_member_before') }}
),

pair as (
    select
        coalesce(now.person_id, before.person_id) as person_id,
        coalesce(now.cohort_code, before.cohort_code) as cohort_code,
        case when before.person_id is null then 'joined' else 'left' end as change,
        coalesce(now.evidence, before.evidence) as evidence,
        before.version as version_before
    from (select * from {{ ref('person_cohort') }} where exited_on is null) as now
    full outer join {{ ref('cohort_member_before') }} as before
        on now.person_id = before.person_id
        and now.cohort_code = before.cohort_code
    where now.person_id is null
        or before.person_id is null
),

definition_before as (
    select distinct
        cohort_code,
        version
    from {{ ref('cohort_member_before') }}
)

select
    pair.person_id,
    pair.cohort_code,
    pair.change,
    case
        when definition.code is null then 'cohort_ended'
        when definition.version <> definition_before.version then 'definition_changed'
        when pair.change = 'joined' and person.first_linked_on > last_release.as_of then 'new_person'
        when pair.change = 'joined' then 'rule_met'
        when not person.is_alive then 'died'
        when register.exited_on is not null then 'off_register'
        else 'rule_no_longer_met'
    end as reason,
    pair.evidence,
    last_release.release_id as since_release_id,
    last_release.as_of as since_date
from pair
-- whoever is no longer a person of the index, because two were one, cannot be named
inner join {{ ref('person') }} as person
    on pair.person_id = person.person_id
cross join last_release
left join {{ ref('cohort') }} as definition
    on pair.cohort_code = definition.code
left join definition_before
    on pair.cohort_code = definition_before.cohort_code
left join {{ ref('person_cohort') }} as register
    on pair.person_id = register.person_id
    and pair.cohort_code = register.cohort_code
    and register.exited_on is not null
