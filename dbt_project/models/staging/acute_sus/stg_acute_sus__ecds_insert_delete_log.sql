{{ config(unique_key=['primarykey_id', 'import_log_id']) }}

select
    rows.primarykey_id,
    rows.import_log_id,
    rows.is_removed,
    rows.deleted_import_log_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('acute_sus', 'ecds_insert_delete_log') }} as rows
