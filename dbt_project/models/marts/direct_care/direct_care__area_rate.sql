{{ config(alias='area_rate') }}

{{ counts_for_purpose(ref('area_rate'), 'direct_care') }}
