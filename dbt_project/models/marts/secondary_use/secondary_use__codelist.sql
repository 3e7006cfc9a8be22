{{ config(alias='codelist') }}

{{ codelist_use(ref('codelist'), ref('code_use'), 'secondary_use') }}
