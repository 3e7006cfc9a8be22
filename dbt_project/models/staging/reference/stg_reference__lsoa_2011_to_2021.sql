{{ config(unique_key=['lsoa_2011_code', 'lsoa_2021_code']) }}

select
    rows.lsoa_2011_code,
    rows.lsoa_2011_name,
    rows.lsoa_2021_code,
    rows.lsoa_2021_name,
    rows.change_code,
    rows.local_authority_code,
    rows.local_authority_name,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'lsoa_2011_to_2021') }} as rows
