{{ config(alias='person_condition') }}

{{ for_purpose(ref('person_condition'), ref('person_permission'), 'secondary_use') }}
