-- A list holds who has opted out today: a person who leaves it has withdrawn, and their row is deleted. The national list does not
-- say since when, and whoever is on the local one has objected whatever its date.
{% for opt_out_type, list in {'national': ref('stg_reference__national_data_opt_out'), 'local': ref('stg_reference__local_opt_out')}.items() %}
select
    record_token,
    'reference' as source,
    '{{ opt_out_type }}' as opt_out_type,
    'dissent' as status,
    cast(null as date) as effective_on,
    is_deleted
from {{ list }}
{{ 'union all' if not loop.last }}
{% endfor %}
