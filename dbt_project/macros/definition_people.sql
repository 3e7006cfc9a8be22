{#
  People who meet each definition now, by sex and five-year age band, among those alive whom the purpose permits. All relations are
  marts of one purpose. A score has a row for each band; one without bands is split into nought and more.
#}
{% macro definition_people(person, person_condition, person_segment, person_score, person_cohort) -%}
with met as (
    select
        person_id,
        'condition' as kind,
        condition_code as code,
        cast(null as varchar) as band
    from {{ person_condition }}
    where is_active

    union all

    select
        person_id,
        'segment' as kind,
        scheme || '_' || segment_code as code,
        cast(null as varchar) as band
    from {{ person_segment }}
    where month_end = (select max(month_end) from {{ person_segment }})

    union all

    select
        person_id,
        'score' as kind,
        score_code as code,
        coalesce(band, case when value > 0 then 'above_nought' else 'nought' end) as band
    from {{ person_score }}
    where value is not null
        and is_within_limits

    union all

    select
        person_id,
        'cohort' as kind,
        cohort_code as code,
        cast(null as varchar) as band
    from {{ person_cohort }}
    where exited_on is null
)

select
    met.kind,
    met.code,
    met.band,
    coalesce(person.sex, 'not_known') as sex,
    {{ age_band('person.age_years') }} as age_band,
    cast(count(*) as integer) as n_people
from met
inner join {{ person }} as person
    on met.person_id = person.person_id
where person.is_alive
group by all
{%- endmacro %}
