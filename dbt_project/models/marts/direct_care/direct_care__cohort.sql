{{ config(alias='cohort') }}

{{ without_people(ref('cohort')) }}
