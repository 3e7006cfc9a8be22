{{ config(alias='area_trait') }}

{{ counts_for_purpose(ref('area_trait'), 'secondary_use') }}
