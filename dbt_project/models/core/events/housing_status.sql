{{ event_table([
    ref('int_housing_status__housing'),
    ref('int_housing_status__voluntary_sector'),
    ref('int_housing_status__acute_sus'),
], [
    'event_key', 'source', 'record_token', 'organisation_code', 'status', 'reason', 'started_on', 'ended_on',
    'is_homeless'
]) }}
