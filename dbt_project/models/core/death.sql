with notice as (
    {{ union_of([
        ref('int_death__demographics_pds'),
        ref('int_death__gp_emis'),
        ref('int_death__gp_systmone'),
        ref('int_death__acute_sus'),
    ], ['record_token', 'source', 'death_date', 'underlying_cause_code', 'precedence_rank']) }}
),

ranked as (
    select
        person_record.person_id,
        notice.death_date,
        notice.underlying_cause_code,
        notice.source,
        notice.precedence_rank,
        row_number() over (
            partition by person_record.person_id
            order by notice.precedence_rank, notice.death_date, notice.source, notice.record_token
        ) as place
    from notice
    inner join {{ ref('person_record') }} as person_record
        on notice.record_token = person_record.record_token
    where notice.death_date <= {{ as_of() }}
)

select
    person_id,
    death_date,
    underlying_cause_code,
    source,
    precedence_rank
from ranked
where place = 1
