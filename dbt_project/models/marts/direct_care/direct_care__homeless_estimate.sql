{{ config(alias='homeless_estimate') }}

{{ homeless_estimate(ref('direct_care__homeless_evidence')) }}
