{{ config(unique_key=['organisation_guid']) }}

select
    rows.organisation_guid,
    rows.cdb,
    rows.organisation_name,
    rows.ods_code,
    rows.parent_organisation_guid,
    rows.ccg_organisation_guid,
    rows.organisation_type,
    rows.open_date,
    rows.close_date,
    rows.main_location_guid,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'admin_organisation') }} as rows
