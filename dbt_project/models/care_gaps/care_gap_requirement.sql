-- Being on a register, or known to nobody, is a criterion like any other: number 0.
select
    gap_code,
    criterion,
    fact_code,
    is_absent
from {{ ref('care_gap_criterion') }}

union all

select
    gap_code,
    0 as criterion,
    'on_register:' || condition_code as fact_code,
    false as is_absent
from {{ ref('care_gap_rule') }}
where register_state = 'on'

union all

select
    rule.gap_code,
    0 as criterion,
    state.prefix || ':' || rule.condition_code as fact_code,
    true as is_absent
from {{ ref('care_gap_rule') }} as rule
cross join (
    select 'on_register' as prefix
    union all
    select 'known_to_gp' as prefix
) as state
where rule.register_state = 'not_known'

union all

select
    gap_code,
    0 as criterion,
    'on_register:pregnancy' as fact_code,
    true as is_absent
from {{ ref('care_gap_rule') }}
where excludes_pregnant
