{{ config(materialized='view', meta={'purpose': 'open'}) }}

{{ for_purpose(ref('registered_population'), ref('person_permission'), 'open') }}
