{{ config(alias='definition_people') }}

{{ definition_people(
    ref('direct_care__person'),
    ref('direct_care__person_condition'),
    ref('direct_care__person_segment'),
    ref('direct_care__person_score'),
    ref('direct_care__person_cohort')
) }}
