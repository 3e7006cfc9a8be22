{{ config(alias='inequality') }}

{{ counts_for_purpose(ref('inequality'), 'direct_care') }}
