{{ submitted_referrals(
    ref('stg_community_csds__cyp101_referral'), 'community_csds',
    reference='unique_service_request_identifier', month_id='unique_month_id', provider='organisation_identifier_code_of_provider'
) }}
