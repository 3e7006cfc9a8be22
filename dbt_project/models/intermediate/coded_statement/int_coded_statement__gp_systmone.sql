with ctv3_map as (
    select
        ctv3_code,
        snomed_code,
        is_deleted,
        row_number() over (partition by ctv3_code order by is_deleted, row_identifier) as choice,
        max(_changed_seq) over (partition by ctv3_code) as _changed_seq
    from {{ ref('stg_gp_systmone__sr_ctv3_to_snomed') }}
    where is_deleted or snomed_code > 0
)

select
    'sr_code|' || statement.id_organisation_visible_to || '|' || cast(statement.row_identifier as varchar) as event_key,
    statement.record_token,
    cast(statement.date_event as date) as event_date,
    -- SystmOne gives whole dates only
    case when statement.date_event is not null then 'YMD' end as date_precision,
    cast(case when statement.snomed_code > 0 then statement.snomed_code when not ctv3_map.is_deleted then ctv3_map.snomed_code end as varchar) as code,
    statement.ctv3_code as supplied_code,
    statement.numeric_value as value,
    statement.numeric_unit as unit,
    statement.numeric_value is not null or coalesce(statement.is_numeric, false) as is_result,
    coalesce(statement.id_organisation_done_at, statement.id_organisation_visible_to) as organisation_code,
    cast(statement.date_event_recorded as date) as recorded_on,
    -- a map that arrives or changes later changes every statement whose code it maps
    greatest(statement._changed_seq, coalesce(ctv3_map._changed_seq, 0)) as _changed_seq,
    statement.is_deleted
from {{ ref('stg_gp_systmone__sr_code') }} as statement
left join ctv3_map
    on statement.ctv3_code = ctv3_map.ctv3_code
    and ctv3_map.choice = 1
