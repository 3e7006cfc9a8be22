{{ config(materialized='view') }}

select
    version,
    term_code,
    feature,
    lower,
    upper,
    coefficient,
    mean,
    drift
from {{ source('stratification', 'risk_model_term') }}
