{{ config(alias='definition_rule') }}

{{ without_people(ref('definition_rule')) }}
