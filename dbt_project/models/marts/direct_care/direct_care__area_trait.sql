{{ config(alias='area_trait') }}

{{ counts_for_purpose(ref('area_trait'), 'direct_care') }}
