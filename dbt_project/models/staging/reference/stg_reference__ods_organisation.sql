{{ config(unique_key=['organisation_code']) }}

select
    rows.organisation_code,
    rows.name,
    rows.national_grouping_code,
    rows.high_level_geography_code,
    rows.open_date,
    rows.close_date,
    rows.status_code,
    rows.subtype_code,
    rows.parent_organisation_code,
    rows.joined_parent_on,
    rows.left_parent_on,
    rows.prescribing_setting_code,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'ods_organisation') }} as rows
