{{ config(alias='score') }}

{{ without_people(ref('score')) }}
