{{ config(materialized='view') }}

select
    release_id,
    as_of,
    built_at,
    person_id,
    cohort_code,
    version,
    entered_on,
    evidence
from {{ source('operations', 'cohort_member') }}
