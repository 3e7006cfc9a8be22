{{ config(alias='codelist_version') }}

{{ codelist_version(ref('direct_care__codelist'), ref('definition_codelist')) }}
