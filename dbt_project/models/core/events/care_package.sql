{{ event_table([
    ref('int_care_package__social_care_cld'),
], [
    'event_key', 'source', 'record_token', 'organisation_code', 'client_type', 'event_type', 'service_type',
    'service_component', 'primary_support_reason', 'started_on', 'ended_on', 'weekly_cost_gbp'
]) }}
