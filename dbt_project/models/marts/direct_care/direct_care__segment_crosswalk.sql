{{ config(alias='segment_crosswalk') }}

{{ segment_crosswalk(ref('direct_care__person_segment')) }}
