{{ config(alias='release') }}

{{ without_people(ref('release')) }}
