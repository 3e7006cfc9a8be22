-- one row a source: where it stands for each attribute
with priority as (
    select
        source,
        max(rank) filter (where attribute = 'birth_month') as birth_month_rank,
        max(rank) filter (where attribute = 'sex') as sex_rank,
        max(rank) filter (where attribute = 'ethnic_category_code') as ethnicity_rank
    from {{ ref('source_priority') }}
    group by source
),

attributed as (
    select
        record.person_id,
        record.record_token,
        record.source,
        record.linked_on,
        record.sex,
        record.birth_month,
        ethnic_category.ethnic_category_code,
        -- smaller is better; the record token only makes a tie come out the same every night
        {{ survivorship_order(['priority.birth_month_rank', '-record._changed_seq', 'record.record_token']) }} as birth_month_order,
        {{ survivorship_order(['priority.sex_rank', '-record._changed_seq', 'record.record_token']) }} as sex_order,
        {{ survivorship_order([
            'not ethnic_category.is_stated',
            'priority.ethnicity_rank',
            'coalesce(' ~ days_before_as_of('record.ethnicity_recorded_on') ~ ', 1000000)',
            'record.record_token'
        ]) }} as ethnicity_order
    from {{ ref('record') }} as record
    left join priority
        on record.source = priority.source
    left join {{ ref('ethnic_category') }} as ethnic_category
        on record.ethnic_category_code = ethnic_category.ethnic_category_code
    where record.is_shared
)

select
    person_id,
    arg_min(birth_month, birth_month_order) filter (where birth_month is not null) as birth_month,
    arg_min(sex, sex_order) filter (where sex in ('M', 'F', 'I')) as sex,
    arg_min(ethnic_category_code, ethnicity_order) filter (where ethnic_category_code is not null) as ethnic_category_code,
    {{ joined_values('source') }} as sources,
    cast(count(distinct source) as integer) as n_sources,
    cast(count(distinct record_token) as integer) as n_records,
    min(linked_on) as first_linked_on
from attributed
group by person_id
