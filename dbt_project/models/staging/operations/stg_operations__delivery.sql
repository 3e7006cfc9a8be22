{{ config(materialized='view') }}

select
    load_seq,
    source,
    table_name,
    delivery_date
from {{ source('operations', 'delivery') }}
