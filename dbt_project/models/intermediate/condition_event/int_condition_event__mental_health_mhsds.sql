with referral as (
    select
        uniq_serv_req_id,
        arg_max(record_token, uniq_month_id) filter (where not is_deleted) as record_token,
        arg_max(referral_request_received_date, uniq_month_id) filter (where not is_deleted) as received_on,
        max(_changed_seq) as _changed_seq
    from {{ ref('stg_mental_health_mhsds__mhs101_referral') }}
    group by uniq_serv_req_id
),

-- a diagnosis is sent again with its referral every month: one event, on the day it was first coded
diagnosis as (
    select
        uniq_serv_req_id,
        diagnosis_scheme,
        primary_diagnosis,
        min(cast(coded_at as date)) filter (where not is_deleted) as coded_on,
        max(org_id_prov) filter (where not is_deleted) as organisation_code,
        max(_changed_seq) as _changed_seq,
        bool_and(is_deleted) as is_deleted
    from {{ ref('stg_mental_health_mhsds__mhs604_primary_diagnosis') }}
    group by uniq_serv_req_id, diagnosis_scheme, primary_diagnosis
)

select
    'mhs604_primary_diagnosis|' || diagnosis.uniq_serv_req_id || '|' || diagnosis.diagnosis_scheme || '|'
    || diagnosis.primary_diagnosis as event_key,
    'mental_health_mhsds' as source,
    referral.record_token,
    coalesce(diagnosis.coded_on, referral.received_on) as event_date,
    'YMD' as date_precision,
    case diagnosis.diagnosis_scheme when '02' then 'icd10' when '06' then 'snomed' end as code_system,
    case
        when diagnosis.diagnosis_scheme = '02' then {{ icd10('diagnosis.primary_diagnosis') }}
        else diagnosis.primary_diagnosis
    end as code,
    'primary' as position,
    'mental_health' as setting,
    diagnosis.organisation_code,
    cast(null as date) as recorded_on,
    greatest(diagnosis._changed_seq, coalesce(referral._changed_seq, 0)) as _changed_seq,
    -- Read and other retired schemes have no codelist
    diagnosis.is_deleted or diagnosis.diagnosis_scheme not in ('02', '06') as is_deleted
from diagnosis
left join referral
    on diagnosis.uniq_serv_req_id = referral.uniq_serv_req_id
