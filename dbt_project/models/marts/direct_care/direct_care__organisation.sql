{{ config(alias='organisation') }}

{{ without_people(ref('organisation')) }}
