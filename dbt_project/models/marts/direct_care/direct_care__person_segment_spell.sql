{{ config(alias='person_segment_spell') }}

{{ for_purpose(ref('person_segment_spell'), ref('person_permission'), 'direct_care') }}
