-- The list holds who has opted out today: a person who leaves it has withdrawn, and their row is deleted.
select
    record_token,
    'reference' as source,
    'national' as opt_out_type,
    'dissent' as status,
    -- the list does not say since when
    cast(null as date) as effective_on,
    is_deleted
from {{ ref('stg_reference__national_data_opt_out') }}
