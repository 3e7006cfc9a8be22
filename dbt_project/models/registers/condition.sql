select
    condition_code as code,
    name,
    version,
    description,
    source,
    owner,
    is_long_term_condition,
    codelist_id,
    codelist_elsewhere_id
from {{ ref('register_rule') }}
