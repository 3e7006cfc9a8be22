select
    period.person_id,
    period.list_name,
    min(period.started_on) as first_date,
    max(least(coalesce(period.ended_on, {{ as_of() }}), {{ as_of() }})) as last_date,
    bool_or(period.ended_on is null or period.ended_on >= {{ as_of() }}) as is_current
from {{ ref('homeless_period') }} as period
inner join {{ ref('person') }} as person
    on period.person_id = person.person_id
where person.is_alive
    and (period.counts_to is null or period.counts_to >= {{ as_of() }})
group by
    period.person_id,
    period.list_name
