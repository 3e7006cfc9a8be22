{{ config(alias='practice_prevalence') }}

{{ practice_prevalence(
    ref('direct_care__person'),
    ref('direct_care__person_condition'),
    ref('direct_care__person_care_gap'),
    ref('direct_care__care_gap'),
    ref('direct_care__condition')
) }}
