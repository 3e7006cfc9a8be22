{{ config(materialized='view') }}

select
    run_id,
    stage,
    cast(as_of as date) as as_of,
    source,
    table_name,
    rule,
    severity,
    status,
    n_rows,
    n_failed,
    detail
from {{ source('operations', 'quality_result') }}
