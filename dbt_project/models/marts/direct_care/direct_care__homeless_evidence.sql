{{ config(alias='homeless_evidence') }}

{{ for_purpose(ref('homeless_evidence'), ref('person_permission'), 'direct_care') }}
