{{ submitted_referrals(
    ref('stg_mental_health_mhsds__mhs101_referral'), 'mental_health_mhsds',
    reference='uniq_serv_req_id', month_id='uniq_month_id', provider='org_id_prov'
) }}
