{%- set gp_evidence -%}
select
    evidence.* replace (evidence.n_gp_inclusions as n_inclusions, evidence.n_gp_resolutions as n_resolutions)
from {{ ref('condition_evidence') }} as evidence
where evidence.condition_code in (select condition_code from {{ ref('register_rule') }} where evidence_elsewhere_counts)
{%- endset -%}
with evidence as (
    select
        evidence.person_id,
        evidence.condition_code,
        evidence.event_date,
        evidence.n_inclusions,
        evidence.n_resolutions,
        evidence.n_gp_inclusions,
        evidence.code,
        evidence.sources,
        evidence.n_inclusions > 0
        and (evidence.n_resolutions = 0 or not rule.same_day_resolution_wins) as is_on,
        -- evidence without a date is taken to be older than any other; kinds of evidence may disagree on one day
        {{ survivorship_order([
            'evidence.event_date is not null',
            'evidence.event_date',
            'is_on <> rule.same_day_resolution_wins',
            'evidence.basis'
        ]) }} as event_order
    from {{ ref('condition_evidence') }} as evidence
    inner join {{ ref('register_rule') }} as rule
        on evidence.condition_code = rule.condition_code
    -- a medicine that a register only asks for is no evidence of the condition
    where evidence.basis <> 'medicine' or rule.medicine_role = 'alternative'
),

summary as (
    select
        person_id,
        condition_code,
        min(event_date) filter (where n_inclusions > 0) as onset_date,
        min(event_date) filter (where n_gp_inclusions > 0) as gp_onset_date,
        cast(sum(n_inclusions) as integer) as n_events,
        arg_min(code, event_order) filter (where n_inclusions > 0) as first_code,
        arg_max(code, event_order) filter (where n_inclusions > 0) as last_code,
        max(event_date) filter (where n_resolutions > 0) as last_resolution_date,
        arg_max(is_on, event_order) filter (where n_inclusions + n_resolutions > 0) as is_on,
        {{ joined_lists('sources') }} as sources
    from evidence
    group by person_id, condition_code
    having sum(n_inclusions) > 0
),

active as (
    select
        person_id,
        condition_code,
        min(active_from) as active_from
    from {{ ref('condition_period') }}
    where (active_from is null or active_from <= {{ as_of() }})
        and (active_to is null or active_to >= {{ as_of() }})
    group by person_id, condition_code
),

-- the register as a practice's own search finds it: where no other record counts, it is the register
active_in_gp as (
    select distinct
        person_id,
        condition_code
    from (
        {{ condition_periods('(' ~ gp_evidence ~ ')', ref('register_rule'), ref('person')) }}
    ) as period
    where (active_from is null or active_from <= {{ as_of() }})
        and (active_to is null or active_to >= {{ as_of() }})
)

select
    summary.person_id,
    summary.condition_code,
    summary.onset_date,
    case when not summary.is_on then summary.last_resolution_date end as resolved_date,
    active.person_id is not null as is_active,
    case
        when rule.evidence_elsewhere_counts then active_in_gp.person_id is not null
        else active.person_id is not null
    end as is_active_gp_only,
    active.active_from,
    summary.gp_onset_date,
    case
        when active.person_id is not null then null
        when not summary.is_on then 'resolved'
        when {{ age_in_years('person.birth_month', as_of()) }} < rule.min_age then 'below_minimum_age'
        when {{ age_in_years('person.birth_month', 'summary.onset_date') }} < rule.min_age_at_onset then 'below_minimum_age_at_onset'
        when rule.medicine_role is not null then 'no_recent_medicine'
        else 'expired'
    end as inactive_reason,
    summary.n_events,
    summary.sources,
    summary.first_code,
    summary.last_code
from summary
inner join {{ ref('register_rule') }} as rule
    on summary.condition_code = rule.condition_code
inner join {{ ref('person') }} as person
    on summary.person_id = person.person_id
left join active
    on summary.person_id = active.person_id
    and summary.condition_code = active.condition_code
left join active_in_gp
    on summary.person_id = active_in_gp.person_id
    and summary.condition_code = active_in_gp.condition_code
