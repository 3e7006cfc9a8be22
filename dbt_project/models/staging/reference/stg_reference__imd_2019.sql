{{ config(unique_key=['lsoa_2011_code']) }}

select
    rows.lsoa_2011_code,
    rows.lsoa_2011_name,
    rows.local_authority_code,
    rows.imd_score,
    rows.imd_rank,
    rows.imd_decile,
    rows.income_decile,
    rows.employment_decile,
    rows.education_decile,
    rows.health_decile,
    rows.crime_decile,
    rows.housing_decile,
    rows.environment_decile,
    rows.population_mid_2015,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'imd_2019') }} as rows
