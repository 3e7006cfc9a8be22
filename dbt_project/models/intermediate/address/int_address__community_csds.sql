{{ address_of_submissions(ref('stg_community_csds__cyp001_mpi'), 'community_csds') }}
