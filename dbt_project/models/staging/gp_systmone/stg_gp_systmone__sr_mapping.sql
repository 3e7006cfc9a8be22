{{ config(unique_key=['row_identifier']) }}

select
    rows.row_identifier,
    rows.id_mapping_group,
    rows.mapping,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_mapping') }} as rows
