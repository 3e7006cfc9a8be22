{{ config(alias='coverage_series') }}

{{ counts_for_purpose(ref('coverage_series'), 'direct_care') }}
