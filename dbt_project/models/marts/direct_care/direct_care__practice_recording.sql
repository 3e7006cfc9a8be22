{{ config(alias='practice_recording') }}

{{ counts_for_purpose(ref('practice_recording'), 'direct_care') }}
