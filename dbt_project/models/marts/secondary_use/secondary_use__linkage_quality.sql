{{ config(alias='linkage_quality') }}

{{ without_people(ref('linkage_quality')) }}
