select
    statement.record_token,
    'gp_systmone' as source,
    'type_1' as opt_out_type,
    opt_out.status,
    statement.event_date as effective_on,
    statement.is_deleted
from {{ ref('int_coded_statement__gp_systmone') }} as statement
inner join {{ ref('type_1_opt_out') }} as opt_out
    on statement.code = opt_out.snomed_code
