{{ config(alias='data_quality_result') }}

{{ without_people(ref('data_quality_result')) }}
