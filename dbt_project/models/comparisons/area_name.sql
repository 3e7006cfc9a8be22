-- a name may change in time: the latest is told, and of two on one day the same one every night
select
    type as area_type,
    organisation_code as area_code,
    arg_max(name, {{ survivorship_order(["coalesce(valid_from, cast('0001-01-01' as date))", 'name']) }}) as area_name
from {{ ref('organisation') }}
where type in ('practice', 'pcn', 'lcp', 'place', 'ics')
    and name is not null
group by
    type,
    organisation_code
