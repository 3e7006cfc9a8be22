{#
  How many people of each practice have each condition, against how many would if everybody of their age, sex and deprivation had it
  as often as in the whole population that the purpose may see (indirect standardisation). Limits are 95 % by Byar's approximation
  (Breslow and Day 1987, Statistical Methods in Cancer Research II, IARC; used by the Office for Health Improvement and Disparities).
  `person`, `person_condition`, `person_care_gap` and `care_gap` are marts of one purpose, `condition` the definitions.
#}
{% macro practice_prevalence(person, person_condition, person_care_gap, care_gap, condition) -%}
with member as (
    select
        person_id,
        practice_code,
        {{ age_band('age_years') }} as age_band,
        coalesce(sex, 'not_known') as sex,
        coalesce(cast((imd_decile + 1) // 2 as varchar), 'not_known') as imd_quintile
    from {{ person }}
    where is_registered
),

practice_stratum as (
    select
        practice_code,
        age_band,
        sex,
        imd_quintile,
        count(*) as n_people
    from member
    group by practice_code, age_band, sex, imd_quintile
),

stratum as (
    select
        age_band,
        sex,
        imd_quintile,
        sum(n_people) as n_people
    from practice_stratum
    group by age_band, sex, imd_quintile
),

sought as (
    select distinct condition_code
    from {{ care_gap }}
    where is_probable_diagnosis
),

-- once a person and condition: on the register, or probably affected and not on it
affected as (
    select
        person_id,
        condition_code,
        max(on_register) as on_register
    from (
        select person_id, condition_code, 1 as on_register
        from {{ person_condition }}
        where is_active

        union all

        select person_id, condition_code, 0 as on_register
        from {{ person_care_gap }}
        where is_probable_diagnosis
    ) as known
    group by person_id, condition_code
),

observed as (
    select
        member.practice_code,
        member.age_band,
        member.sex,
        member.imd_quintile,
        affected.condition_code,
        sum(affected.on_register) as n_on_register,
        count(*) as n_affected
    from affected
    inner join member
        on affected.person_id = member.person_id
    group by
        member.practice_code,
        member.age_band,
        member.sex,
        member.imd_quintile,
        affected.condition_code
),

rate as (
    select
        observed.condition_code,
        stratum.age_band,
        stratum.sex,
        stratum.imd_quintile,
        cast(sum(observed.n_on_register) / stratum.n_people as decimal(18, 12)) as on_register,
        cast(sum(observed.n_affected) / stratum.n_people as decimal(18, 12)) as affected
    from observed
    inner join stratum
        on observed.age_band = stratum.age_band
        and observed.sex = stratum.sex
        and observed.imd_quintile = stratum.imd_quintile
    group by
        observed.condition_code,
        stratum.age_band,
        stratum.sex,
        stratum.imd_quintile,
        stratum.n_people
),

expected as (
    select
        practice_stratum.practice_code,
        rate.condition_code,
        -- decimals add up to the same in any order
        cast(sum(practice_stratum.n_people * rate.on_register) as double) as n_on_register,
        cast(sum(practice_stratum.n_people * rate.affected) as double) as n_affected
    from practice_stratum
    inner join rate
        on practice_stratum.age_band = rate.age_band
        and practice_stratum.sex = rate.sex
        and practice_stratum.imd_quintile = rate.imd_quintile
    group by practice_stratum.practice_code, rate.condition_code
),

counted as (
    select
        practice.practice_code,
        definition.code as condition_code,
        practice.n_people,
        coalesce(seen.n_on_register, 0) as n_on_register,
        case when sought.condition_code is not null then coalesce(seen.n_affected, 0) end as n_affected,
        coalesce(expected.n_on_register, 0) as n_expected,
        case when sought.condition_code is not null then coalesce(expected.n_affected, 0) end as n_affected_expected
    from (
        select practice_code, sum(n_people) as n_people
        from practice_stratum
        group by practice_code
    ) as practice
    cross join {{ condition }} as definition
    left join sought
        on definition.code = sought.condition_code
    left join (
        select practice_code, condition_code, sum(n_on_register) as n_on_register, sum(n_affected) as n_affected
        from observed
        group by practice_code, condition_code
    ) as seen
        on practice.practice_code = seen.practice_code
        and definition.code = seen.condition_code
    left join expected
        on practice.practice_code = expected.practice_code
        and definition.code = expected.condition_code
)

select
    practice_code,
    condition_code,
    cast(n_people as integer) as n_people,
    cast(n_on_register as integer) as n_on_register,
    n_expected,
    n_on_register / nullif(n_expected, 0) as ratio,
    {{ byar_low('n_on_register') }} / nullif(n_expected, 0) as ratio_low,
    {{ byar_high('n_on_register') }} / nullif(n_expected, 0) as ratio_high,
    cast(n_affected - n_on_register as integer) as n_probable,
    n_affected_expected as n_expected_with_probable,
    n_affected / nullif(n_affected_expected, 0) as ratio_with_probable,
    {{ byar_low('n_affected') }} / nullif(n_affected_expected, 0) as ratio_with_probable_low,
    {{ byar_high('n_affected') }} / nullif(n_affected_expected, 0) as ratio_with_probable_high,
    n_on_register / nullif(n_affected, 0) as share_detected
from counted
{%- endmacro %}
