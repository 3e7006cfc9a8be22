{{ config(unique_key=['record_token']) }}

select
    rows.record_token,
    rows.nhs_number_state,
    rows.recorded_on,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('reference', 'local_opt_out') }} as rows
