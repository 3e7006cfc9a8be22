{{ config(alias='person_activity_month') }}

{{ for_purpose(ref('person_activity_month'), ref('person_permission'), 'direct_care') }}
