{{ config(materialized='view') }}

select
    load_seq,
    source,
    table_name,
    delivery_date,
    status,
    rows_in
from {{ source('operations', 'delivery') }}
