{{ config(alias='cohort_summary') }}

{{ cohort_summary(
    ref('direct_care__cohort'),
    ref('direct_care__person_cohort'),
    ref('direct_care__cohort_change'),
    ref('direct_care__person'),
    ref('direct_care__person_activity_month'),
    ref('count_day')
) }}
