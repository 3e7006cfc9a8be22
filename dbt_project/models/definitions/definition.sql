select
    'condition' as kind,
    condition_code as code,
    cast(null as varchar) as scheme,
    name,
    description,
    cast(null as varchar) as limits,
    version,
    source,
    owner
from {{ ref('register_rule') }}

union all

select
    'segment' as kind,
    scheme || '_' || code as code,
    scheme,
    name,
    description,
    cast(null as varchar) as limits,
    version,
    source,
    owner
from {{ ref('segment') }}

union all

select
    'score' as kind,
    score_code as code,
    cast(null as varchar) as scheme,
    name,
    description,
    limits,
    version,
    source,
    owner
from {{ ref('score_rule') }}

union all

select
    'cohort' as kind,
    cohort_code as code,
    cast(null as varchar) as scheme,
    name,
    description,
    cast(null as varchar) as limits,
    version,
    source,
    owner
from {{ ref('cohort_rule') }}
