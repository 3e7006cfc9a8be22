select
    person_id,
    scheme,
    month_end,
    segment_code,
    segment_name,
    reason
from {{ ref('person_segment_flag') }}
where is_primary
