{%- set everywhere = {'test_record': 'is_test_record', 'restricted_record': 'is_restricted'} -%}
{%- set objections = {
    'sensitive_record': 'is_sensitive', 'type_1_dissent': 'has_type_1_dissent', 'national_opt_out': 'has_national_opt_out',
    'local_opt_out': 'has_local_opt_out',
} -%}
with counted as (
    {% for purpose, reasons in {
        'direct_care': dict(everywhere, agreement='not is_direct_care_agreed', any='not is_direct_care_permitted'),
        'secondary_use': dict(everywhere, **dict(objections, agreement='not is_secondary_use_agreed', any='not is_secondary_use_permitted')),
    }.items() %}
    {%- set last_purpose = loop.last %}
    {%- for reason, condition in reasons.items() %}
    select
        '{{ purpose }}' as purpose,
        '{{ reason }}' as reason,
        cast(count(*) filter (where {{ condition }}) as integer) as n_people
    from {{ ref('person_permission') }}
    {{ 'union all' if not (loop.last and last_purpose) }}
    {%- endfor %}
    {% endfor %}
),

-- codes that are kept out of everything derived, whoever they are about
sensitive as (
    select
        restriction,
        cast(count(distinct person_id) as integer) as n_people
    from (
        select
            entry.restriction,
            person_record.person_id
        from (select code_system, code, record_token from {{ ref('condition_event') }}) as event
        inner join {{ matched_sensitive_codes(ref('condition_event')) }} as entry
            on event.code_system = entry.code_system
            and event.code = entry.code
        inner join {{ ref('person_record') }} as person_record
            on event.record_token = person_record.record_token
    ) as person_code
    group by restriction
)

select
    purpose,
    reason,
    n_people
from counted
union all
select
    'secondary_use' as purpose,
    restriction || '_code' as reason,
    n_people
from sensitive
