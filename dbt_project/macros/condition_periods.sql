{#
  Periods on each register, from what was recorded day by day. `evidence` has the columns of model `condition_evidence`,
  `register_rule` those of the seed, `person` has `person_id` and `birth_month`. The rows are those of model `condition_period`.

  The state after a day follows from that day's evidence alone: an inclusion without a resolution puts the person on, a resolution
  takes them off. "Latest diagnosis later than latest resolution" at any date is the state after the last day with evidence.
#}
{% macro condition_periods(evidence, register_rule, person) -%}
with state as (
    select
        evidence.person_id,
        evidence.condition_code,
        evidence.basis,
        evidence.event_date,
        evidence.n_inclusions > 0
        and (evidence.n_resolutions = 0 or not rule.same_day_resolution_wins) as is_on,
        least(
            lead(evidence.event_date) over evidence_of_condition - 1,
            evidence.expires_on
        ) as holds_to,
        evidence.sources
    from {{ evidence }} as evidence
    inner join {{ register_rule }} as rule
        on evidence.condition_code = rule.condition_code
    where evidence.n_inclusions + evidence.n_resolutions > 0
    window evidence_of_condition as (
        partition by evidence.person_id, evidence.condition_code, evidence.basis
        order by evidence.event_date nulls first
    )
),

on_state as (
    select
        state.*,
        lag(holds_to) over on_states as previous_to
    from state
    where is_on
    window on_states as (partition by person_id, condition_code, basis order by event_date nulls first)
),

-- consecutive days of evidence make one period until the person was off the register, or the evidence had run out
numbered as (
    select
        on_state.*,
        sum(case when previous_to is null or previous_to < event_date - 1 then 1 else 0 end) over (
            partition by person_id, condition_code, basis
            order by event_date nulls first
            rows unbounded preceding
        ) as period_number
    from on_state
),

period as (
    select
        person_id,
        condition_code,
        basis,
        min(event_date) as starts_on,
        count(event_date) < count(*) as is_start_unknown,
        case when count(holds_to) = count(*) then max(holds_to) end as ends_on,
        {{ joined_lists('sources') }} as sources
    from numbered
    group by person_id, condition_code, basis, period_number
),

-- what puts a person on a register, with the medicine that some registers ask for
qualified as (
    select
        period.person_id,
        period.condition_code,
        period.basis,
        case when not period.is_start_unknown then period.starts_on end as starts_on,
        period.ends_on,
        period.sources
    from period
    inner join {{ register_rule }} as rule
        on period.condition_code = rule.condition_code
    where rule.medicine_role is distinct from 'required'

    union all

    select
        period.person_id,
        period.condition_code,
        period.basis,
        case when period.is_start_unknown then covered.starts_on else greatest(period.starts_on, covered.starts_on) end as starts_on,
        least(period.ends_on, covered.ends_on) as ends_on,
        period.sources
    from period
    inner join {{ register_rule }} as rule
        on period.condition_code = rule.condition_code
    inner join period as covered
        on period.person_id = covered.person_id
        and period.condition_code = covered.condition_code
        and covered.basis = 'medicine'
        and (period.is_start_unknown or period.starts_on <= covered.ends_on)
        and (period.ends_on is null or covered.starts_on <= period.ends_on)
    where rule.medicine_role = 'required'
        and period.basis <> 'medicine'
),

onset as (
    select
        person_id,
        condition_code,
        min(event_date) as onset_date
    from {{ evidence }}
    where basis <> 'medicine' and n_inclusions > 0
    group by person_id, condition_code
)

select
    qualified.person_id,
    qualified.condition_code,
    qualified.basis,
    greatest(
        qualified.starts_on,
        {{ date_plus('year', 'rule.min_age', 'person.birth_month') }}
    ) as active_from,
    qualified.ends_on as active_to,
    qualified.sources
from qualified
inner join {{ register_rule }} as rule
    on qualified.condition_code = rule.condition_code
inner join {{ person }} as person
    on qualified.person_id = person.person_id
left join onset
    on qualified.person_id = onset.person_id
    and qualified.condition_code = onset.condition_code
where (
    rule.min_age_at_onset is null
    or onset.onset_date is null
    or person.birth_month is null
    or onset.onset_date >= {{ date_plus('year', 'rule.min_age_at_onset', 'person.birth_month') }}
)
and (
    qualified.ends_on is null
    or rule.min_age is null
    or person.birth_month is null
    or qualified.ends_on >= {{ date_plus('year', 'rule.min_age', 'person.birth_month') }}
)
{%- endmacro %}
