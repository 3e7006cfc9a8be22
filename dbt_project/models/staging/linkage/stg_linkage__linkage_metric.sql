{{ config(materialized='view') }}

select
    run_id,
    metric,
    source,
    value
from {{ source('linkage', 'linkage_metric') }}
