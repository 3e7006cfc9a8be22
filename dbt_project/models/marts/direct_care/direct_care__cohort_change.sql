{{ config(alias='cohort_change') }}

{{ for_purpose(ref('cohort_change'), ref('person_permission'), 'direct_care') }}
