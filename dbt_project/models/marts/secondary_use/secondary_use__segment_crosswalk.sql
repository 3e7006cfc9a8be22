{{ config(alias='segment_crosswalk') }}

{{ segment_crosswalk(ref('secondary_use__person_segment')) }}
