{{ config(alias='definition_link') }}

{{ without_people(ref('definition_link')) }}
