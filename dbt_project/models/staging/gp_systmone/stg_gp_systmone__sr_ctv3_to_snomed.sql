{{ config(unique_key=['row_identifier']) }}

select
    rows.row_identifier,
    rows.id_organisation_visible_to,
    rows.ctv3_code,
    rows.snomed_code,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_ctv3_to_snomed') }} as rows
