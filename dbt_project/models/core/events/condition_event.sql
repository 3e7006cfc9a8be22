{{ event_table([
    ref('int_condition_event__gp_emis'),
    ref('int_condition_event__gp_systmone'),
    ref('int_condition_event__acute_sus'),
    ref('int_condition_event__mental_health_mhsds'),
], [
    'event_key', 'source', 'record_token', 'event_date', 'date_precision', 'code_system', 'code', 'position',
    'setting', 'organisation_code', 'recorded_on'
]) }}
