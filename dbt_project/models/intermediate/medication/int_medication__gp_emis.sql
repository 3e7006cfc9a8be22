select
    'prescribing_issue_record|' || issue.organisation_guid || '|' || issue.issue_record_guid as event_key,
    'gp_emis' as source,
    issue.record_token,
    issue.effective_date as issued_on,
    'dmd' as code_system,
    cast(case when not drug.is_deleted then drug.dmd_product_code_id end as varchar) as code,
    issue.quantity,
    issue.course_duration_in_days as course_days,
    organisation.ods_code as organisation_code,
    issue.entered_date as recorded_on,
    -- a drug code or practice that arrives or changes later changes every issue that names it
    greatest(
        issue._changed_seq, coalesce(drug._changed_seq, 0), coalesce(organisation._changed_seq, 0)
    ) as _changed_seq,
    -- what the practice marks as confidential is not for use elsewhere
    issue.is_deleted or coalesce(issue.is_confidential, false) as is_deleted
from {{ ref('stg_gp_emis__prescribing_issue_record') }} as issue
left join {{ ref('stg_gp_emis__coding_drug_code') }} as drug
    on issue.code_id = drug.code_id
left join {{ ref('stg_gp_emis__admin_organisation') }} as organisation
    on issue.organisation_guid = organisation.organisation_guid
