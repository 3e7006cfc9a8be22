{{ config(materialized='view') }}

select
    purpose,
    is_open,
    reason
from {{ source('operations', 'purpose_state') }}
