{{ record_of_submissions(ref('stg_mental_health_mhsds__mhs001_mpi'), 'mental_health_mhsds', month_id='uniq_month_id', gender='gender', provider='org_id_prov') }}
