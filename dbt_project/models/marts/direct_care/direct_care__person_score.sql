{{ config(alias='person_score') }}

{{ for_purpose(ref('person_score'), ref('person_permission'), 'direct_care') }}
