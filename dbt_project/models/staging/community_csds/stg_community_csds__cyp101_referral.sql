{{ config(unique_key=['unique_service_request_identifier', 'unique_month_id']) }}

select
    rows.record_token,
    rows.organisation_identifier_code_of_provider,
    rows.unique_service_request_identifier,
    rows.unique_month_id,
    rows.organisation_identifier_code_of_commissioner,
    rows.referral_request_received_date,
    rows.source_of_referral,
    rows.priority_type,
    rows.primary_reason_for_referral,
    rows.service_discharge_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('community_csds', 'cyp101_referral') }} as rows
