with latest as (
    select
        scheme,
        segment_code,
        segment_name,
        rank,
        version,
        description,
        source,
        owner,
        row_number() over (partition by scheme, segment_code order by effective_from desc) as recency
    from {{ ref('segment_precedence') }}
    where effective_from <= {{ as_of() }}
)

select
    scheme,
    segment_code as code,
    segment_name as name,
    rank,
    version,
    description,
    source,
    owner
from latest
where recency = 1
