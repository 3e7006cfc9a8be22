{{ config(materialized='view', alias='risk_model_calibration') }}

{{ without_people(ref('risk_model_calibration')) }}
