{{ config(materialized='view') }}

select
    run_id,
    stage,
    as_of,
    source,
    table_name,
    rule,
    severity,
    status,
    n_rows,
    n_failed,
    detail
from {{ ref('stg_operations__quality_result') }}
