select
    cohort_code as code,
    name,
    version,
    description,
    source,
    owner
from {{ ref('cohort_rule') }}
