{{ config(materialized='view') }}

select
    run_id,
    metric,
    source,
    value,
    as_of,
    is_latest
from {{ source('linkage', 'linkage_metric') }}
