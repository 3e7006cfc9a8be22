{{ record_of_submissions(ref('stg_community_csds__cyp001_mpi'), 'community_csds', month_id='unique_month_id', gender='stated_gender', provider='organisation_identifier_code_of_provider') }}
