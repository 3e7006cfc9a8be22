{{ config(materialized='view', alias='release') }}

{{ without_people(ref('release')) }}
