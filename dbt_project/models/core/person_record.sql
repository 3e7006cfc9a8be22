select
    record_token,
    source,
    person_id,
    match_method,
    match_weight,
    linked_on
from {{ ref('record') }}
where is_shared
