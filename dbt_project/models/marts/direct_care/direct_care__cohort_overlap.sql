{{ config(alias='cohort_overlap') }}

{{ cohort_overlap(ref('direct_care__person_cohort'), ref('direct_care__cohort')) }}
