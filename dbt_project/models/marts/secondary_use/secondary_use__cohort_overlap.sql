{{ config(alias='cohort_overlap') }}

{{ cohort_overlap(ref('secondary_use__person_cohort'), ref('secondary_use__cohort')) }}
