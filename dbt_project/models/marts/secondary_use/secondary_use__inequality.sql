{{ config(alias='inequality') }}

{{ counts_for_purpose(ref('inequality'), 'secondary_use') }}
