{{ config(alias='practice_funnel') }}

{{ counts_for_purpose(ref('practice_funnel'), 'secondary_use') }}
