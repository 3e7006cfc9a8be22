{{ config(materialized='view') }}

select
    source,
    organisation_code,
    agreement_ids,
    party,
    state,
    is_in_force,
    covers_direct_care,
    covers_secondary_use,
    covers_open,
    is_cross_border,
    valid_to,
    live_from,
    reason
from {{ source('operations', 'sharing_agreement') }}
