{{ config(unique_key=['organisation_guid']) }}

select
    rows.organisation_guid,
    rows.is_activated,
    rows.last_modified_date,
    rows.disabled,
    rows.deleted,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'agreements_sharing_organisation') }} as rows
