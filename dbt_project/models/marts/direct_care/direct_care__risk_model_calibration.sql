{{ config(alias='risk_model_calibration') }}

{{ without_people(ref('risk_model_calibration')) }}
