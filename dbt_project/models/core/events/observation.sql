{{ event_table([
    ref('int_observation__gp_emis'),
    ref('int_observation__gp_systmone'),
], [
    'event_key', 'source', 'record_token', 'observed_on', 'code_system', 'code', 'value', 'unit', 'organisation_code',
    'recorded_on'
]) }}
