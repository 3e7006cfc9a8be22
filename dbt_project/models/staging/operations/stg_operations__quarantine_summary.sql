{{ config(materialized='view') }}

select
    load_seq,
    source,
    table_name,
    delivery_date,
    column_name,
    reason_code,
    n_rows
from {{ source('operations', 'quarantine_summary') }}
