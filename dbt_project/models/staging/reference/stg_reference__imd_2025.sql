{{ config(unique_key=['lsoa_2021_code']) }}

select
    rows.lsoa_2021_code,
    rows.lsoa_2021_name,
    rows.local_authority_code,
    rows.local_authority_name,
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
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'imd_2025') }} as rows
