{{ config(alias='inequality_group') }}

{{ counts_for_purpose(ref('inequality_group'), 'direct_care') }}
