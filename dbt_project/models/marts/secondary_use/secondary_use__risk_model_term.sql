{{ config(alias='risk_model_term') }}

{{ without_people(ref('risk_model_term')) }}
