{{ config(alias='opt_out_effect') }}

{{ without_people(ref('opt_out_effect')) }}
