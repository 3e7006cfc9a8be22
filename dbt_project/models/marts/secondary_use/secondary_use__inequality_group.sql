{{ config(alias='inequality_group') }}

{{ counts_for_purpose(ref('inequality_group'), 'secondary_use') }}
