{{ config(alias='segment') }}

{{ without_people(ref('segment')) }}
