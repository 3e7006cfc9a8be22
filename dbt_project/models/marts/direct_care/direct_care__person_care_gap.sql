{{ config(alias='person_care_gap') }}

{{ for_purpose(ref('person_care_gap'), ref('person_permission'), 'direct_care') }}
