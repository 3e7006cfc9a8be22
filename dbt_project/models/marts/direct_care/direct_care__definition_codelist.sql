{{ config(alias='definition_codelist') }}

{{ without_people(ref('definition_codelist')) }}
