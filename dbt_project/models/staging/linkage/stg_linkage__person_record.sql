{{ config(materialized='view') }}

select
    record_token,
    source,
    person_id,
    match_method,
    match_weight,
    linked_on
from {{ source('linkage', 'person_record') }}
