{{ config(alias='person') }}

{{ for_purpose(ref('person'), ref('person_permission'), 'secondary_use') }}
