{{ config(unique_key=['primarykey_id', 'snomed_id']) }}

select
    rows.primarykey_id,
    rows.snomed_id,
    rows.code,
    rows.sequence_number,
    rows.is_primary,
    rows.qualifier,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('acute_sus', 'ecds_diagnosis') }} as rows
