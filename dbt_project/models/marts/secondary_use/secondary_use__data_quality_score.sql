{{ config(alias='data_quality_score') }}

{{ without_people(ref('data_quality_score')) }}
