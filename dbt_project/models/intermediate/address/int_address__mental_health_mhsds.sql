{{ address_of_submissions(ref('stg_mental_health_mhsds__mhs001_mpi'), 'mental_health_mhsds') }}
