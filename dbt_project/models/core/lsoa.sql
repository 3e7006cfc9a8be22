-- Deprivation of the 2025 release sits on LSOAs of 2021 and joins directly. The 2019 release sits on LSOAs of 2011 and is reached
-- only through the mapping, even where a code looks the same. A row never mixes releases.
with mapping as (
    select
        lsoa_2011_code,
        lsoa_2021_code,
        lsoa_2021_name,
        local_authority_code
    from {{ ref('stg_reference__lsoa_2011_to_2021') }}
    where not is_deleted
),

imd_2025 as (
    select
        lsoa_2021_code,
        lsoa_2021_name,
        local_authority_code,
        '2025' as imd_release,
        imd_score,
        imd_rank,
        imd_decile,
        income_decile,
        employment_decile,
        education_decile,
        health_decile,
        crime_decile,
        housing_decile,
        environment_decile
    from {{ ref('stg_reference__imd_2025') }}
    where not is_deleted
),

-- an LSOA merged from several of 2011 takes their mean
imd_2019 as (
    select
        mapping.lsoa_2021_code,
        '2019' as imd_release,
        avg(imd.imd_score) as imd_score,
        cast(round(avg(imd.imd_rank)) as integer) as imd_rank,
        cast(round(avg(imd.imd_decile)) as integer) as imd_decile,
        cast(round(avg(imd.income_decile)) as integer) as income_decile,
        cast(round(avg(imd.employment_decile)) as integer) as employment_decile,
        cast(round(avg(imd.education_decile)) as integer) as education_decile,
        cast(round(avg(imd.health_decile)) as integer) as health_decile,
        cast(round(avg(imd.crime_decile)) as integer) as crime_decile,
        cast(round(avg(imd.housing_decile)) as integer) as housing_decile,
        cast(round(avg(imd.environment_decile)) as integer) as environment_decile
    from mapping
    inner join {{ ref('stg_reference__imd_2019') }} as imd
        on mapping.lsoa_2011_code = imd.lsoa_2011_code
        and not imd.is_deleted
    group by mapping.lsoa_2021_code
),

deprivation as (
    select
        lsoa_2021_code,
        imd_release,
        imd_score,
        imd_rank,
        imd_decile,
        income_decile,
        employment_decile,
        education_decile,
        health_decile,
        crime_decile,
        housing_decile,
        environment_decile
    from imd_2025

    union all

    select
        imd_2019.lsoa_2021_code,
        imd_2019.imd_release,
        imd_2019.imd_score,
        imd_2019.imd_rank,
        imd_2019.imd_decile,
        imd_2019.income_decile,
        imd_2019.employment_decile,
        imd_2019.education_decile,
        imd_2019.health_decile,
        imd_2019.crime_decile,
        imd_2019.housing_decile,
        imd_2019.environment_decile
    from imd_2019
    left join imd_2025
        on imd_2019.lsoa_2021_code = imd_2025.lsoa_2021_code
    where imd_2025.lsoa_2021_code is null
),

area as (
    select
        lsoa_2021_code as lsoa_code,
        lsoa_2021_name as lsoa_name,
        local_authority_code as borough_code
    from imd_2025

    union all

    select
        lsoa_2021_code as lsoa_code,
        lsoa_2021_name as lsoa_name,
        local_authority_code as borough_code
    from mapping

    union all

    select
        lsoa_code,
        cast(null as varchar) as lsoa_name,
        borough_code
    from {{ ref('postcode') }}
    where lsoa_code is not null
),

lsoa as (
    select
        lsoa_code,
        max(lsoa_name) as lsoa_name,
        max(borough_code) as borough_code
    from area
    group by lsoa_code
),

place as (
    select
        area_code,
        max(organisation_code) as place_code
    from {{ ref('stg_reference__local_organisation') }}
    where not is_deleted
        and organisation_type = 'place'
        and valid_to is null
    group by area_code
)

select
    lsoa.lsoa_code,
    lsoa.lsoa_name,
    lsoa.borough_code,
    place.place_code,
    deprivation.imd_release,
    deprivation.imd_score,
    deprivation.imd_rank,
    deprivation.imd_decile,
    deprivation.income_decile,
    deprivation.employment_decile,
    deprivation.education_decile,
    deprivation.health_decile,
    deprivation.crime_decile,
    deprivation.housing_decile,
    deprivation.environment_decile
from lsoa
left join deprivation
    on lsoa.lsoa_code = deprivation.lsoa_2021_code
left join place
    on lsoa.borough_code = place.area_code
