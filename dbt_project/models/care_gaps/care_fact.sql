with written as (
    select
        fact_code,
        name,
        kind,
        codelist_id,
        condition_code,
        version,
        source
    from {{ ref('care_fact_rule') }}
),

-- what may be asked of every register, without a row
of_register as (
    select
        asked.prefix || ':' || register.condition_code as fact_code,
        asked.words || register.name as name,
        asked.prefix as kind,
        case asked.prefix
            when 'known_to_gp' then register.codelist_id
            when 'in_hospital' then register.codelist_elsewhere_id
        end as codelist_id,
        register.condition_code,
        register.version,
        register.source
    from {{ ref('register_rule') }} as register
    cross join (
        select 'on_register' as prefix, 'On the register: ' as words
        union all
        select 'known_to_gp' as prefix, 'Coded by the GP: ' as words
        union all
        select 'in_hospital' as prefix, 'In hospital or mental health records: ' as words
    ) as asked
)

select * from written
union all
select * from of_register
