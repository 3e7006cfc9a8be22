{{ config(alias='codelist_version') }}

{{ codelist_version(ref('secondary_use__codelist'), ref('definition_codelist')) }}
