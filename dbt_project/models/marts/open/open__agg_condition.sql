{{ config(alias='agg_condition') }}

with resident as (
    select
        population.person_id,
        population.month_end,
        {{ area_parts(['place', 'pcn', 'practice'], 'population') }}
    from {{ ref('open_population') }} as population
    where population.month_end = (select max(month_end) from {{ ref('segment_month') }})
),

list as (
    select
        month_end,
        {{ area_columns(['place', 'pcn', 'practice']) }},
        cast(count(*) as integer) as n_registered
    from resident
    group by
        month_end,
        {{ area_rollup(['place', 'pcn', 'practice']) }}
),

on_register as (
    select
        condition.condition_code,
        {{ area_columns(['place', 'pcn', 'practice']) }},
        cast(count(*) as integer) as n_patients
    from resident
    inner join {{ ref('secondary_use__person_condition') }} as condition
        on resident.person_id = condition.person_id
    where condition.is_active
    group by
        condition.condition_code,
        {{ area_rollup(['place', 'pcn', 'practice']) }}
)

select
    list.month_end,
    list.area_type,
    list.area_code,
    list.parent_area_code,
    condition.code as condition_code,
    coalesce(on_register.n_patients, 0) as n_patients,
    cast(null as boolean) as is_n_patients_hidden,
    list.n_registered,
    cast(null as boolean) as is_n_registered_hidden,
    cast(null as double) as percent_on_register,
    cast(null as boolean) as is_percent_on_register_hidden
from list
cross join {{ ref('secondary_use__condition') }} as condition
left join on_register
    on list.area_type = on_register.area_type
    and list.area_code = on_register.area_code
    and condition.code = on_register.condition_code
