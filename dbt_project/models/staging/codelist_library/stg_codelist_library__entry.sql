{{ config(materialized='view') }}

select
    load_seq,
    codelist_id,
    code_system,
    code,
    nullif(term, '') as term,
    category,
    version,
    source
from {{ source('codelist_library', 'entry') }}
