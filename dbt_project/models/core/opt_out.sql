with statement as (
    {{ union_of([
        ref('int_opt_out__gp_emis'),
        ref('int_opt_out__gp_systmone'),
        ref('int_opt_out__reference'),
    ], ['record_token', 'source', 'opt_out_type', 'status', 'effective_on']) }}
),

latest as (
    select
        record.person_id,
        statement.opt_out_type,
        statement.status,
        statement.effective_on,
        statement.source,
        -- a dissent without a date is taken to stand; a dissent and a withdrawal on one day are a dissent
        row_number() over (
            partition by record.person_id, statement.opt_out_type
            order by
                statement.effective_on desc nulls first,
                case statement.status when 'dissent' then 0 else 1 end,
                statement.source
        ) as recency
    from statement
    inner join {{ ref('record') }} as record
        on statement.record_token = record.record_token
    where (statement.effective_on is null and statement.status = 'dissent')
        or statement.effective_on <= {{ as_of() }}
)

select
    person_id,
    opt_out_type,
    status,
    effective_on,
    source
from latest
where recency = 1
