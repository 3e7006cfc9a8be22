{{ config(alias='area_rate') }}

{{ counts_for_purpose(ref('area_rate'), 'secondary_use') }}
