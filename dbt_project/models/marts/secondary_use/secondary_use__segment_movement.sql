{{ config(alias='segment_movement') }}

{{ segment_movement(ref('secondary_use__person_segment'), ref('secondary_use__person')) }}
