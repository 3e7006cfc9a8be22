-- What a practice's own kind of record says: what a hospital knows of somebody is no work of the practice.
with item as (
    select distinct
        item_code,
        item_name,
        min_age
    from {{ ref('recording_item') }}
),

stated as (
    select distinct
        person_record.person_id,
        rule.item_code
    from (
        select record_token, source, codelist_id, observed_on as stated_on
        from {{ codelist_events(ref('observation'), 'snomed') }} as observation

        union all

        select record_token, source, codelist_id, event_date as stated_on
        from {{ codelist_events(ref('condition_event'), 'snomed') }} as statement
    ) as event
    inner join {{ ref('recording_item') }} as rule
        on event.codelist_id = rule.codelist_id
        and event.stated_on > {{ date_plus('month', '-rule.within_months', as_of()) }}
        and event.stated_on <= {{ as_of() }}
    inner join {{ ref('person_record') }} as person_record
        on event.record_token = person_record.record_token
    where starts_with(event.source, 'gp_')

    union

    select
        record.person_id,
        'ethnicity' as item_code
    from {{ ref('record') }} as record
    inner join {{ ref('ethnic_category') }} as category
        on record.ethnic_category_code = category.ethnic_category_code
        and category.is_stated
    where starts_with(record.source, 'gp_')
        and record.is_shared
),

-- practices that send nothing have recorded nothing that we could know of
connected as (
    select distinct organisation_code as practice_code
    from {{ ref('source_coverage') }}
    where starts_with(source, 'gp_')
        and onboarding_status = 'live'
),

asked as (
    select
        person.practice_code,
        item.item_code,
        item.item_name,
        stated.person_id is not null as is_recorded,
        permission.is_direct_care_permitted,
        permission.is_secondary_use_permitted
    from {{ ref('person') }} as person
    inner join connected
        on person.practice_code = connected.practice_code
    inner join {{ ref('person_permission') }} as permission
        on person.person_id = permission.person_id
    inner join item
        on person.age_years >= item.min_age
    left join stated
        on person.person_id = stated.person_id
        and item.item_code = stated.item_code
    where person.is_registered
),

counted as (
    select
        practice_code,
        item_code,
        item_name,
        {{ count_by_purpose('n_people', 'asked') }},
        {%- for purpose in counting_purposes() %}
        count(*) filter (where is_recorded and is_{{ purpose }}_permitted) as n_recorded_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from asked
    group by practice_code, item_code, item_name
),

split as (
    {{ rows_by_purpose('counted', ['practice_code', 'item_code', 'item_name'], ['n_people', 'n_recorded']) }}
)

select
    counted_for,
    practice_code,
    item_code,
    item_name,
    cast(n_people as integer) as n_people,
    cast(n_recorded as integer) as n_recorded,
    round(n_recorded * 1.0 / n_people, 4) as share,
    round(
        sum(n_recorded) over (partition by counted_for, item_code) * 1.0
        / sum(n_people) over (partition by counted_for, item_code), 4
    ) as ics_share
from split
where n_people > 0
