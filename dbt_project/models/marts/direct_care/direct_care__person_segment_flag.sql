{{ config(alias='person_segment_flag') }}

{{ for_purpose(ref('person_segment_flag'), ref('person_permission'), 'direct_care') }}
