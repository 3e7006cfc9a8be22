{{ config(alias='definition_people') }}

{{ definition_people(
    ref('secondary_use__person'),
    ref('secondary_use__person_condition'),
    ref('secondary_use__person_segment'),
    ref('secondary_use__person_score'),
    ref('secondary_use__person_cohort')
) }}
