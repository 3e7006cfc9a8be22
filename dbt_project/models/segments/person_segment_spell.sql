-- Consecutive month ends in one segment are one spell; a month end that is missed, or another segment, ends it.
with step as (
    select
        person_id,
        scheme,
        month_end,
        segment_code,
        lag(segment_code) over by_month is not distinct from segment_code
        and lag(month_end) over by_month = {{ month_end(dbt.dateadd('month', -1, 'month_end')) }} as is_continued
    from {{ ref('person_segment') }}
    window by_month as (partition by person_id, scheme order by month_end)
),

numbered as (
    select
        step.*,
        sum(case when is_continued then 0 else 1 end) over (
            partition by person_id, scheme
            order by month_end
            rows unbounded preceding
        ) as spell_number
    from step
),

spell as (
    select
        person_id,
        scheme,
        segment_code,
        min(month_end) as entered_on,
        max(month_end) as last_month_end
    from numbered
    group by person_id, scheme, segment_code, spell_number
),

history as (
    select
        min(month_end) as first_month_end,
        max(month_end) as last_month_end
    from {{ ref('segment_month') }}
),

followed as (
    select
        spell.*,
        {{ month_end(dbt.dateadd('month', 1, 'spell.last_month_end')) }} as next_month_end,
        lead(spell.entered_on) over spells as next_entered_on,
        lead(spell.segment_code) over spells as next_segment_code
    from spell
    window spells as (partition by spell.person_id, spell.scheme order by spell.entered_on)
)

select
    followed.person_id,
    followed.scheme,
    followed.segment_code,
    followed.entered_on,
    followed.entered_on = history.first_month_end as is_entry_unknown,
    case when followed.last_month_end < history.last_month_end then followed.next_month_end end as exited_on,
    case
        when followed.last_month_end = history.last_month_end then 'still_in'
        when followed.next_entered_on = followed.next_month_end then 'moved'
        when person.death_date <= followed.next_month_end then 'died'
        else 'left'
    end as exit_reason,
    case when followed.next_entered_on = followed.next_month_end then followed.next_segment_code end as next_segment_code
from followed
cross join history
inner join {{ ref('person') }} as person
    on followed.person_id = person.person_id
