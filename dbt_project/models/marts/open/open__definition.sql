{{ config(alias='definition') }}

{{ without_people(ref('definition')) }}
