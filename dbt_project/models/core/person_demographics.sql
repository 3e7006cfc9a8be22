with part as (
    {{ union_of([
        ref('int_record__demographics_pds'),
        ref('int_record__gp_emis'),
        ref('int_record__gp_systmone'),
        ref('int_record__acute_sus'),
        ref('int_record__community_csds'),
        ref('int_record__mental_health_mhsds'),
        ref('int_record__social_care_cld'),
        ref('int_record__housing'),
        ref('int_record__voluntary_sector'),
    ], [
        'record_token', 'source', 'sex', 'birth_month', 'ethnic_category_code', 'ethnicity_recorded_on',
        'is_test_record', 'is_sensitive', '_changed_seq'
    ]) }}
),

-- one row a source: where it stands for each attribute
priority as (
    select
        source,
        max(rank) filter (where attribute = 'birth_month') as birth_month_rank,
        max(rank) filter (where attribute = 'sex') as sex_rank,
        max(rank) filter (where attribute = 'ethnic_category_code') as ethnicity_rank
    from {{ ref('source_priority') }}
    group by source
),

record as (
    select
        person_record.person_id,
        person_record.record_token,
        person_record.source,
        person_record.linked_on,
        part.sex,
        part.birth_month,
        ethnic_category.ethnic_category_code,
        coalesce(part.is_test_record, false) as is_test_record,
        coalesce(part.is_sensitive, false) as is_sensitive,
        -- smaller is better; the record token only makes a tie come out the same every night
        {{ survivorship_order(['priority.birth_month_rank', '-part._changed_seq', 'person_record.record_token']) }} as birth_month_order,
        {{ survivorship_order(['priority.sex_rank', '-part._changed_seq', 'person_record.record_token']) }} as sex_order,
        {{ survivorship_order([
            'not ethnic_category.is_stated',
            'priority.ethnicity_rank',
            'coalesce(' ~ days_before_as_of('part.ethnicity_recorded_on') ~ ', 1000000)',
            'person_record.record_token'
        ]) }} as ethnicity_order
    from {{ ref('person_record') }} as person_record
    left join part
        on person_record.record_token = part.record_token
    left join priority
        on person_record.source = priority.source
    left join {{ ref('ethnic_category') }} as ethnic_category
        on part.ethnic_category_code = ethnic_category.ethnic_category_code
)

select
    person_id,
    arg_min(birth_month, birth_month_order) filter (where birth_month is not null) as birth_month,
    arg_min(sex, sex_order) filter (where sex in ('M', 'F', 'I')) as sex,
    arg_min(ethnic_category_code, ethnicity_order) filter (where ethnic_category_code is not null) as ethnic_category_code,
    bool_or(is_test_record) as is_test_record,
    bool_or(is_sensitive) as is_sensitive,
    {{ joined_values('source') }} as sources,
    cast(count(distinct source) as integer) as n_sources,
    cast(count(distinct record_token) as integer) as n_records,
    min(linked_on) as first_linked_on
from record
group by person_id
