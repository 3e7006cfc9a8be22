-- A run for the same date again must find the same: a release of that date is none before it.
select *
from {{ ref('stg_operations__cohort_member') }}
where as_of < {{ as_of() }}
qualify dense_rank() over (order by as_of desc, built_at desc, release_id desc) = 1
