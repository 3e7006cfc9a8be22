{{ config(alias='homeless_estimate') }}

{{ homeless_estimate(ref('secondary_use__homeless_evidence')) }}
