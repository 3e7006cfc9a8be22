{{ config(alias='person_cohort') }}

{{ for_purpose(ref('person_cohort'), ref('person_permission'), 'secondary_use') }}
