{{ config(alias='condition') }}

{{ without_people(ref('condition')) }}
