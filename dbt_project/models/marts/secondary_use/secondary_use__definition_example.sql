{{ config(alias='definition_example') }}

{{ without_people(ref('definition_example')) }}
