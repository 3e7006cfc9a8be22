{{ config(alias='person_segment') }}

{{ for_purpose(ref('person_segment'), ref('person_permission'), 'direct_care') }}
