{{ config(unique_key=['organisation_guid', 'consultation_guid']) }}

select
    rows.record_token,
    rows.consultation_guid,
    rows.organisation_guid,
    rows.effective_date,
    rows.effective_date_precision,
    rows.entered_date,
    rows.entered_time,
    rows.appointment_slot_guid,
    rows.consultation_source_term,
    rows.consultation_source_code_id,
    rows.complete,
    rows.consultation_type,
    rows.deleted,
    rows.is_confidential,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'care_record_consultation', keep=emis_delete_stands()) }} as rows
