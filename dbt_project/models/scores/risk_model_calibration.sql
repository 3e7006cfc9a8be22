{{ config(materialized='view') }}

select
    version,
    characteristic,
    group_name,
    decile,
    n_people,
    is_small,
    n_outcomes,
    predicted,
    observed,
    observed_low,
    observed_high
from {{ ref('stg_stratification__risk_model_calibration') }}
