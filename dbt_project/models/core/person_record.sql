select
    record_token,
    source,
    person_id,
    match_method,
    match_weight,
    linked_on,
    is_person_changed,
    is_in_review,
    has_number,
    is_register,
    name_structure,
    birth_date_state,
    postcode_state,
    is_unlinkable,
    withheld_outcome
from {{ ref('record') }}
where is_shared
