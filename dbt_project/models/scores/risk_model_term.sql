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
from {{ ref('stg_stratification__risk_model_term') }}
