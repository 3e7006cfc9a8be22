{{ config(alias='unmapped_code') }}

{{ unmapped_code(ref('code_use'), 'secondary_use') }}
