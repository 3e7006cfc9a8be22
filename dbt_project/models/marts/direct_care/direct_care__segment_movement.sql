{{ config(alias='segment_movement') }}

{{ segment_movement(ref('direct_care__person_segment'), ref('direct_care__person')) }}
