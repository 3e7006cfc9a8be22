{{ config(materialized='view') }}

with entry as (
    select
        entry.*,
        max(load_seq) over (partition by codelist_id) as last_load_seq
    from {{ source('codelist_library', 'entry') }} as entry
)

select
    codelist_id,
    code_system,
    code,
    nullif(term, '') as term,
    category,
    version,
    source,
    content_hash,
    loaded_at
from entry
where load_seq = last_load_seq
