{{ event_table([
    ref('int_encounter__gp_emis'),
    ref('int_encounter__gp_systmone'),
    ref('int_encounter__acute_sus'),
    ref('int_encounter__community_csds'),
    ref('int_encounter__mental_health_mhsds'),
    ref('int_encounter__social_care_cld'),
    ref('int_encounter__voluntary_sector'),
], [
    'event_key', 'source', 'record_token', 'setting', 'encounter_type', 'started_at', 'ended_at',
    'organisation_code', 'site_code', 'is_emergency', 'is_attended', 'admission_method_code',
    'discharge_destination_code', 'specialty_code', 'team_type_code', 'hrg_code', 'cost_gbp'
]) }}
