{{ config(alias='practice_prevalence') }}

{{ practice_prevalence(
    ref('secondary_use__person'),
    ref('secondary_use__person_condition'),
    ref('secondary_use__person_care_gap'),
    ref('secondary_use__care_gap'),
    ref('secondary_use__condition')
) }}
