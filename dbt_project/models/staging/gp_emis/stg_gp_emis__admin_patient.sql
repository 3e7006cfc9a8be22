{{ config(unique_key=['organisation_guid', 'record_token']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.postcode_token,
    rows.postcode_state,
    rows.organisation_guid,
    rows.sex,
    rows.date_of_death,
    rows.date_of_registration,
    rows.patient_type_description,
    rows.dummy_type,
    rows.residential_institute_code,
    rows.nhs_number_status,
    rows.date_of_deactivation,
    rows.deleted,
    rows.spine_sensitive,
    rows.is_confidential,
    rows.external_usual_gp_organisation,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'admin_patient', keep=emis_delete_stands()) }} as rows
