{{ config(alias='cohort_summary') }}

{{ cohort_summary(
    ref('secondary_use__cohort'),
    ref('secondary_use__person_cohort'),
    ref('secondary_use__cohort_change'),
    ref('secondary_use__person'),
    ref('secondary_use__person_activity_month'),
    ref('count_day')
) }}
