{{ config(materialized='view') }}

select
    release_id,
    as_of,
    built_at,
    git_commit,
    model_version,
    n_people
from {{ ref('stg_operations__release') }}
