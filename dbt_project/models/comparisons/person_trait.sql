-- What may set people apart, as known on the run's date. Whatever a measure counts, segments apart, is a trait of others too. What most
-- people have says the same as its opposite and is left out: the lowest band of a score, a home, one of two sexes.
with registered as (
    select distinct person_id
    from {{ ref('measured_person') }}
    where is_latest
),

known as (
    select
        person.person_id,
        coalesce({{ broad_age_band('person.age_years') }}, 'not_known') as age_band,
        case when person.sex = 'M' then null else coalesce(person.sex, 'not_known') end as sex,
        coalesce(nullif(person.ethnic_group, 'Not stated'), 'not_known') as ethnic_group,
        coalesce(cast((person.imd_decile + 1) // 2 as varchar), 'not_known') as deprivation_fifth,
        case
            when person.is_no_fixed_abode then 'no_fixed_abode'
            when address.person_id is null then 'not_known'
            else nullif(address.residence_type, 'home')
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
        {{ kind }} as trait_code
    from known
    where {{ kind }} is not null

    union all
    {% endfor %}
    select
        score.person_id,
        'score_band' as trait_kind,
        score.score_code || ':' || score.band as trait_code
    from {{ ref('person_score') }} as score
    inner join registered
        on score.person_id = registered.person_id
    inner join {{ ref('score_band') }} as band
        on score.score_code = band.score_code
        and score.band = band.band
        and band.band_order > 1
    where score.is_within_limits

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
