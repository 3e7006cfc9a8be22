{{ event_table([
    ref('int_medication__gp_emis'),
    ref('int_medication__gp_systmone'),
], [
    'event_key', 'source', 'record_token', 'issued_on', 'code_system', 'code', 'quantity', 'course_days',
    'organisation_code', 'recorded_on'
]) }}
