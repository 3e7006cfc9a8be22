{{ config(alias='linkage_headline_effect') }}

{{ without_people(ref('linkage_headline_effect')) }}
