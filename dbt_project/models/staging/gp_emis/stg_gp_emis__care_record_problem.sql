{{ config(unique_key=['organisation_guid', 'observation_guid']) }}

select
    rows.record_token,
    rows.observation_guid,
    rows.organisation_guid,
    rows.parent_problem_observation_guid,
    rows.deleted,
    rows.end_date,
    rows.end_date_precision,
    rows.expected_duration,
    rows.last_review_date,
    rows.last_review_date_precision,
    rows.parent_problem_relationship,
    rows.problem_status_description,
    rows.significance_description,
    rows.processing_id,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('gp_emis', 'care_record_problem', keep=emis_delete_stands()) }} as rows
