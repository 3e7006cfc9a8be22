{{ config(materialized='view', meta={'purpose': 'open'}) }}

{{ for_purpose(ref('person'), ref('person_permission'), 'open') }}
