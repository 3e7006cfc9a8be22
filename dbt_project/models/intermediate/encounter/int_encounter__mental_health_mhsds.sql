with referral as (
    -- an open referral is sent again every month: the latest month says whose it is
    select
        uniq_serv_req_id,
        arg_max(record_token, uniq_month_id) filter (where not is_deleted) as record_token,
        max(_changed_seq) as _changed_seq
    from {{ ref('stg_mental_health_mhsds__mhs101_referral') }}
    group by uniq_serv_req_id
),

team as (
    select
        uniq_serv_req_id,
        uniq_care_prof_team_id,
        arg_max(team_type, uniq_month_id) filter (where not is_deleted) as team_type_code,
        max(_changed_seq) as _changed_seq
    from {{ ref('stg_mental_health_mhsds__mhs102_service_type_referred_to') }}
    group by uniq_serv_req_id, uniq_care_prof_team_id
),

contact as (
    select
        'mhs201_care_contact|' || contact.uniq_care_cont_id as event_key,
        referral.record_token,
        'contact' as encounter_type,
        {{ at_time('contact.care_contact_date', 'contact.care_contact_time', '%H:%M:%S') }} as started_at,
        {{ at_time('contact.care_contact_date', 'contact.care_contact_time', '%H:%M:%S') }}
        + to_minutes(contact.clinical_contact_minutes) as ended_at,
        contact.org_id_prov as organisation_code,
        contact.site_code,
        -- A02 is crisis and home treatment
        coalesce(team.team_type_code = 'A02', false) as is_emergency,
        case
            when contact.attendance_status in ('5', '6') then true
            when contact.attendance_status in ('2', '3', '4', '7') then false
        end as is_attended,
        cast(null as varchar) as admission_method_code,
        cast(null as varchar) as discharge_destination_code,
        team.team_type_code,
        greatest(contact._changed_seq, coalesce(referral._changed_seq, 0), coalesce(team._changed_seq, 0)) as _changed_seq,
        contact.is_deleted
    from {{ ref('stg_mental_health_mhsds__mhs201_care_contact') }} as contact
    left join referral
        on contact.uniq_serv_req_id = referral.uniq_serv_req_id
    left join team
        on contact.uniq_serv_req_id = team.uniq_serv_req_id
        and contact.uniq_care_prof_team_id = team.uniq_care_prof_team_id
),

-- an open spell is sent again every month, so its latest month holds
latest_spell as (
    select
        uniq_hosp_prov_spell_id,
        arg_max(uniq_serv_req_id, uniq_month_id) filter (where not is_deleted) as uniq_serv_req_id,
        arg_max(org_id_prov, uniq_month_id) filter (where not is_deleted) as org_id_prov,
        arg_max(start_date, uniq_month_id) filter (where not is_deleted) as start_date,
        arg_max_null(discharge_date, uniq_month_id) filter (where not is_deleted) as discharge_date,
        arg_max(admission_method, uniq_month_id) filter (where not is_deleted) as admission_method,
        arg_max_null(discharge_destination, uniq_month_id) filter (where not is_deleted) as discharge_destination,
        max(_changed_seq) as _changed_seq,
        bool_and(is_deleted) as is_deleted
    from {{ ref('stg_mental_health_mhsds__mhs501_hospital_provider_spell') }}
    group by uniq_hosp_prov_spell_id
),

spell as (
    select
        'mhs501_hospital_provider_spell|' || spell.uniq_hosp_prov_spell_id as event_key,
        referral.record_token,
        'spell' as encounter_type,
        cast(spell.start_date as timestamp) as started_at,
        cast(spell.discharge_date as timestamp) as ended_at,
        spell.org_id_prov as organisation_code,
        cast(null as varchar) as site_code,
        coalesce(method.is_emergency, false) as is_emergency,
        true as is_attended,
        spell.admission_method as admission_method_code,
        spell.discharge_destination as discharge_destination_code,
        cast(null as varchar) as team_type_code,
        greatest(spell._changed_seq, coalesce(referral._changed_seq, 0)) as _changed_seq,
        spell.is_deleted
    from latest_spell as spell
    left join referral
        on spell.uniq_serv_req_id = referral.uniq_serv_req_id
    left join {{ ref('admission_method') }} as method
        on spell.admission_method = method.admission_method_code
),

encounter as (
    select * from contact
    union all
    select * from spell
)

select
    encounter.event_key,
    'mental_health_mhsds' as source,
    encounter.record_token,
    'mental_health' as setting,
    encounter.encounter_type,
    encounter.started_at,
    encounter.ended_at,
    encounter.organisation_code,
    encounter.site_code,
    encounter.is_emergency,
    encounter.is_attended,
    encounter.admission_method_code,
    encounter.discharge_destination_code,
    cast(null as varchar) as specialty_code,
    encounter.team_type_code,
    cast(null as varchar) as hrg_code,
    {{ encounter_cost('encounter', 'price') }} as cost_gbp,
    encounter._changed_seq,
    encounter.is_deleted
from encounter
left join {{ ref('unit_cost') }} as price
    on price.setting = 'mental_health'
    and encounter.encounter_type = price.encounter_type
