{{ config(alias='linkage_equity') }}

{{ without_people(ref('linkage_equity')) }}
