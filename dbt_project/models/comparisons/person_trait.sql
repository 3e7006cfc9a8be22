-- What may set people apart, as known on the run's date. Whatever a measure counts, segments apart, is a trait of others too.
with registered as (
    select distinct person_id
    from {{ ref('measured_person') }}
    where is_latest
),

known as (
    select
        person.person_id,
        {{ broad_age_band('person.age_years') }} as age_band,
        person.sex,
        nullif(person.ethnic_group, 'Not stated') as ethnic_group,
        cast((person.imd_decile + 1) // 2 as varchar) as deprivation_fifth,
        case
            when person.is_no_fixed_abode then 'no_fixed_abode'
            else address.residence_type
        end as housing
    from {{ ref('person') }} as person
    inner join registered
        on person.person_id = registered.person_id
    left join {{ ref('person_address') }} as address
        on person.person_id = address.person_id
        and (address.valid_from is null or address.valid_from <= {{ as_of() }})
        and (address.valid_to is null or address.valid_to >= {{ as_of() }})
),

trait as (
    {%- for kind in ['age_band', 'sex', 'ethnic_group', 'deprivation_fifth', 'housing'] %}
    select
        person_id,
        '{{ kind }}' as trait_kind,
        coalesce({{ kind }}, 'not_known') as trait_code
    from known

    union all
    {% endfor %}
    select
        score.person_id,
        'score_band' as trait_kind,
        score.score_code || ':' || score.band as trait_code
    from {{ ref('person_score') }} as score
    inner join registered
        on score.person_id = registered.person_id
    where score.band is not null
        and score.is_within_limits

    union all

    select
        member.person_id,
        measure.measure_kind as trait_kind,
        measure.measure_code as trait_code
    from {{ ref('measure_member') }} as member
    inner join {{ ref('measure') }} as measure
        on member.measure_id = measure.measure_id
    where measure.measure_kind <> 'segment'
)

select
    person_id,
    trait_kind,
    trait_code
from trait
