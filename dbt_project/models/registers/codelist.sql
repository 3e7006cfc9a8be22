with listed as (
    {% for list in [
        ref('codelist__snomed_cardiovascular'),
        ref('codelist__snomed_respiratory'),
        ref('codelist__snomed_metabolic_renal_liver'),
        ref('codelist__snomed_mind_and_nerves'),
        ref('codelist__snomed_cancer_frailty_and_other'),
        ref('codelist__snomed_measurement'),
        ref('codelist__icd10_conditions'),
        ref('codelist__icd10_scores'),
        ref('codelist__dmd_medicines'),
    ] %}
    select code, term, system, codelist_id, version, category, source
    from {{ list }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    codelist_id,
    system as code_system,
    upper(replace(trim(code), '.', '')) as code,
    term,
    category,
    version,
    source
from listed
