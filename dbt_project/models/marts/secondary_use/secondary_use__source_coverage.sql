{{ config(alias='source_coverage') }}

{{ without_people(ref('source_coverage')) }}
