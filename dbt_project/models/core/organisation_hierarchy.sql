-- Every organisation with each organisation above it, while both memberships hold: practice to PCN, place and ICS, practice to LCP.
with recursive membership as (
    select
        organisation_code,
        type,
        parent_code,
        hierarchy,
        coalesce(valid_from, cast('0001-01-01' as date)) as starts,
        coalesce(valid_to, cast('9999-12-31' as date)) as ends
    from {{ ref('organisation') }}
),

parentage as (
    select
        child.organisation_code,
        child.type as organisation_type,
        parent.organisation_code as ancestor_code,
        parent.type as ancestor_type,
        parent.parent_code as next_code,
        child.hierarchy,
        1 as n_levels,
        greatest(child.starts, parent.starts) as starts,
        least(child.ends, parent.ends) as ends
    from membership as child
    inner join membership as parent
        on child.parent_code = parent.organisation_code
        and child.hierarchy = parent.hierarchy
        and child.starts <= parent.ends
        and parent.starts <= child.ends

    union all

    select
        parentage.organisation_code,
        parentage.organisation_type,
        above.organisation_code as ancestor_code,
        above.type as ancestor_type,
        above.parent_code as next_code,
        parentage.hierarchy,
        parentage.n_levels + 1 as n_levels,
        greatest(parentage.starts, above.starts) as starts,
        least(parentage.ends, above.ends) as ends
    from parentage
    inner join membership as above
        on parentage.next_code = above.organisation_code
        and parentage.hierarchy = above.hierarchy
        and parentage.starts <= above.ends
        and above.starts <= parentage.ends
    -- a circle in the supplier's list must not turn for ever
    where parentage.n_levels < 8
)

select
    organisation_code,
    organisation_type,
    ancestor_code,
    ancestor_type,
    hierarchy,
    n_levels,
    nullif(starts, cast('0001-01-01' as date)) as valid_from,
    nullif(ends, cast('9999-12-31' as date)) as valid_to
from parentage
