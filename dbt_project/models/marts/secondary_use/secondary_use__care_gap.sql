{{ config(alias='care_gap') }}

{{ without_people(ref('care_gap')) }}
