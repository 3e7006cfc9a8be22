{{ config(unique_key=['unique_service_request_identifier', 'care_professional_team_local_identifier', 'unique_month_id']) }}

select
    rows.organisation_identifier_code_of_provider,
    rows.unique_service_request_identifier,
    rows.care_professional_team_local_identifier,
    rows.unique_month_id,
    rows.team_type,
    rows.referral_closure_date,
    rows.referral_closure_reason,
    rows.referral_rejection_date,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('community_csds', 'cyp102_service_type_referred_to') }} as rows
