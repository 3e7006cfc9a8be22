with ods as (
    select
        organisation_code,
        name,
        prescribing_setting_code = '4' as is_practice,
        open_date,
        close_date
    from {{ ref('stg_reference__ods_organisation') }}
    where not is_deleted
),

local_organisation as (
    select
        organisation_code,
        name,
        organisation_type,
        parent_code,
        valid_from,
        valid_to
    from {{ ref('stg_reference__local_organisation') }}
    where not is_deleted
),

core_partner as (
    select
        practice_code,
        practice_name,
        pcn_code,
        start_date,
        end_date
    from {{ ref('stg_reference__pcn_core_partner') }}
    where not is_deleted
),

partnership as (
    select
        lcp_code,
        lcp_name,
        practice_code,
        valid_from,
        valid_to
    from {{ ref('stg_reference__local_care_partnership') }}
    where not is_deleted
),

practice_in_pcn as (
    select
        core_partner.practice_code as organisation_code,
        coalesce(ods.name, core_partner.practice_name) as name,
        'practice' as type,
        core_partner.pcn_code as parent_code,
        core_partner.start_date as valid_from,
        least(core_partner.end_date, ods.close_date) as valid_to
    from core_partner
    left join ods
        on core_partner.practice_code = ods.organisation_code
),

-- organisations that only ODS knows, and practices that belong to no PCN
ods_only as (
    select
        ods.organisation_code,
        ods.name,
        case when ods.is_practice then 'practice' else 'other' end as type,
        cast(null as varchar) as parent_code,
        ods.open_date as valid_from,
        ods.close_date as valid_to
    from ods
    left join local_organisation
        on ods.organisation_code = local_organisation.organisation_code
    left join practice_in_pcn
        on ods.organisation_code = practice_in_pcn.organisation_code
    where local_organisation.organisation_code is null
        and practice_in_pcn.organisation_code is null
),

local_care_partnership as (
    select
        lcp_code as organisation_code,
        max(lcp_name) as name,
        'lcp' as type,
        cast(null as varchar) as parent_code,
        min(valid_from) as valid_from,
        case when count(valid_to) = count(*) then max(valid_to) end as valid_to
    from partnership
    group by lcp_code
),

practice_in_partnership as (
    select
        partnership.practice_code as organisation_code,
        ods.name,
        'practice' as type,
        partnership.lcp_code as parent_code,
        partnership.valid_from,
        least(partnership.valid_to, ods.close_date) as valid_to
    from partnership
    left join ods
        on partnership.practice_code = ods.organisation_code
),

combined as (
    select
        organisation_code,
        name,
        organisation_type as type,
        parent_code,
        'commissioning' as hierarchy,
        valid_from,
        valid_to
    from local_organisation

    union all

    select
        organisation_code,
        name,
        type,
        parent_code,
        'commissioning' as hierarchy,
        valid_from,
        valid_to
    from practice_in_pcn

    union all

    select
        organisation_code,
        name,
        type,
        parent_code,
        'commissioning' as hierarchy,
        valid_from,
        valid_to
    from ods_only

    union all

    select
        organisation_code,
        name,
        type,
        parent_code,
        'local_care_partnership' as hierarchy,
        valid_from,
        valid_to
    from local_care_partnership

    union all

    select
        organisation_code,
        name,
        type,
        parent_code,
        'local_care_partnership' as hierarchy,
        valid_from,
        valid_to
    from practice_in_partnership
)

select
    organisation_code,
    name,
    type,
    parent_code,
    hierarchy,
    valid_from,
    valid_to
from combined
