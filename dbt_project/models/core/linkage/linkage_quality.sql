{{ config(materialized='view') }}

select
    run_id,
    as_of,
    is_latest,
    split_part(metric, '/', 1) as metric,
    nullif(split_part(metric, '/', 2), '') as part,
    source,
    value
from {{ ref('stg_linkage__linkage_metric') }}
