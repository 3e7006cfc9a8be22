-- A rule is met when every criterion is: one of its facts is there, or, of a criterion of absence, none. Candidates come from the
-- facts that are there, so that nobody is looked at for a rule of which nothing is known.
with requirement as (
    select *
    from {{ ref('care_gap_requirement') }}
),

-- criteria as a set of bits: one for each that must be there
needed as (
    select
        gap_code,
        bit_or(cast(power(2, criterion) as integer)) as criteria
    from requirement
    where not is_absent
    group by gap_code
),

candidate as (
    select
        fact.person_id,
        requirement.gap_code
    from {{ ref('person_care_fact') }} as fact
    inner join requirement
        on fact.fact_code = requirement.fact_code
        and not requirement.is_absent
    inner join needed
        on requirement.gap_code = needed.gap_code
    where fact.is_met
    group by
        fact.person_id,
        requirement.gap_code,
        needed.criteria
    having bit_or(cast(power(2, requirement.criterion) as integer)) = needed.criteria
),

met as (
    select
        candidate.person_id,
        rule.*
    from candidate
    inner join {{ ref('care_gap_rule') }} as rule
        on candidate.gap_code = rule.gap_code
    inner join {{ ref('person') }} as person
        on candidate.person_id = person.person_id
    where {{ is_of_age('person.birth_month', 'rule') }}
),

forbidden as (
    select distinct
        met.person_id,
        met.gap_code
    from met
    inner join requirement
        on met.gap_code = requirement.gap_code
        and requirement.is_absent
    inner join {{ ref('person_care_fact') }} as fact
        on met.person_id = fact.person_id
        and requirement.fact_code = fact.fact_code
        and fact.is_met
),

-- of the tiers of one group only the most urgent
chosen as (
    select met.*
    from met
    left join forbidden
        on met.person_id = forbidden.person_id
        and met.gap_code = forbidden.gap_code
    where forbidden.person_id is null
    qualify row_number() over (partition by met.person_id, met.tier_group order by met.priority, met.gap_code) = 1
),

-- alternatives that are met, and absences with the day of what was last there
supported as (
    select
        chosen.person_id,
        chosen.gap_code,
        requirement.criterion,
        requirement.fact_code,
        requirement.is_absent,
        definition.name,
        fact.since_date,
        fact.last_date,
        fact.value,
        fact.second_value,
        fact.unit,
        fact.method,
        fact.codes,
        fact.sources
    from chosen
    inner join requirement
        on chosen.gap_code = requirement.gap_code
    inner join {{ ref('care_fact') }} as definition
        on requirement.fact_code = definition.fact_code
        and definition.kind <> 'not_ascertained'
    left join {{ ref('person_care_fact') }} as fact
        on chosen.person_id = fact.person_id
        and requirement.fact_code = fact.fact_code
    where requirement.is_absent or fact.is_met
),

begun as (
    select
        person_id,
        gap_code,
        max(since_date) as since_date
    from (
        select
            person_id,
            gap_code,
            criterion,
            min(since_date) as since_date
        from supported
        group by person_id, gap_code, criterion
    ) as criterion
    group by person_id, gap_code
),

explained as (
    select
        person_id,
        gap_code,
        {{ evidence_list(
            {
                'fact': 'fact_code', 'name': 'name', 'is_absent': 'is_absent', 'date': 'last_date', 'value': 'value',
                'second_value': 'second_value', 'unit': 'unit', 'method': 'method', 'codes': 'codes', 'sources': 'sources',
            },
            order_by='criterion, fact_code'
        ) }} as evidence
    from supported
    group by person_id, gap_code
),

under_review as (
    select distinct condition.person_id
    from {{ ref('person_condition') }} as condition
    inner join {{ ref('care_review_register') }} as register
        on condition.condition_code = register.condition_code
    where condition.is_active
)

select
    chosen.person_id,
    chosen.gap_code,
    chosen.kind,
    chosen.topic,
    chosen.condition_code,
    chosen.tier,
    chosen.priority,
    greatest(
        begun.since_date,
        {{ date_plus('month', 'cast(chosen.min_age * 12 as integer)', 'person.birth_month') }}
    ) as since_date,
    chosen.is_probable_diagnosis,
    chosen.kind = 'case_finding' and under_review.person_id is not null as is_under_other_review,
    chosen.kind = 'review_tier'
    and chosen.priority = min(chosen.priority) over (partition by chosen.person_id, chosen.kind) as is_overall_tier,
    explained.evidence,
    chosen.version
from chosen
inner join {{ ref('person') }} as person
    on chosen.person_id = person.person_id
inner join explained
    on chosen.person_id = explained.person_id
    and chosen.gap_code = explained.gap_code
inner join begun
    on chosen.person_id = begun.person_id
    and chosen.gap_code = begun.gap_code
left join under_review
    on chosen.person_id = under_review.person_id
