{{ config(alias='codelist') }}

{{ codelist_use(ref('codelist'), ref('code_use'), 'direct_care') }}
