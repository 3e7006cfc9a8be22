{{ config(unique_key=['organisation_code', 'valid_from']) }}

select
    rows.organisation_code,
    rows.name,
    rows.organisation_type,
    rows.parent_code,
    rows.area_code,
    rows.valid_from,
    rows.valid_to,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'local_organisation') }} as rows
