{{ config(alias='risk_model') }}

{{ without_people(ref('risk_model')) }}
