with shipped as (
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
),

held as (
    select
        entry.*,
        max(load_seq) over (partition by codelist_id) as last_load_seq
    from {{ ref('stg_codelist_library__entry') }} as entry
),

loaded as (
    select *
    from held
    where load_seq = last_load_seq
)

select
    codelist_id,
    system as code_system,
    upper(replace(trim(code), '.', '')) as code,
    term,
    category,
    version,
    source,
    false as is_loaded
from shipped
-- a list that this place loaded stands for the shipped one whole, its resolutions among it
where codelist_id not in (select codelist_id from loaded)

union all

select
    codelist_id,
    code_system,
    code,
    term,
    category,
    version,
    source,
    true as is_loaded
from loaded
