{{ config(unique_key=['row_identifier']) }}

select
    rows.row_identifier,
    rows.name,
    rows.id,
    rows.house_name,
    rows.house_number,
    rows.name_of_road,
    rows.name_of_locality,
    rows.name_of_town,
    rows.name_of_county,
    rows.telephone,
    rows.secondary_telephone,
    rows.fax,
    rows.made_obsolete,
    rows.id_trust,
    rows.id_ccg,
    rows.removed_data,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_systmone', 'sr_organisation') }} as rows
