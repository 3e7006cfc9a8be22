{#
  A person's dated facts without overlap, from the best source that has any: one row per person and period.

  `part` is a CTE with record_token, source, valid_from, valid_to (first and last day; NULL: unknown or still going on) and
  `columns`; `attribute` is the key into the source priority seed. Sources are not mixed for one person: a gap in the best source
  is a gap. Of two rows that begin on one day the one that lasts longer stands; a row ends at the latest the day before the next.
#}
{% macro person_history(part, attribute, columns) -%}
with dated as (
    select
        person_record.person_id,
        part.source,
        priority.rank as source_rank,
        {% for column in columns %}part.{{ column }}, {% endfor %}
        part.valid_from,
        part.valid_to
    from {{ part }} as part
    inner join {{ ref('person_record') }} as person_record
        on part.record_token = person_record.record_token
    inner join {{ ref('source_priority') }} as priority
        on part.source = priority.source
        and priority.attribute = '{{ attribute }}'
    where (part.valid_from is null or part.valid_from <= {{ as_of() }})
        and (part.valid_to is null or part.valid_from is null or part.valid_to >= part.valid_from)
),

best as (
    select
        person_id,
        min(source_rank) as source_rank
    from dated
    group by person_id
),

chosen as (
    select
        dated.*,
        row_number() over (
            partition by dated.person_id, dated.valid_from
            order by dated.valid_to desc nulls first, dated.source
                {%- for column in columns %}, dated.{{ column }}{% endfor %}
        ) as place_on_day
    from dated
    inner join best
        on dated.person_id = best.person_id
        and dated.source_rank = best.source_rank
),

followed as (
    select
        chosen.*,
        lead(valid_from) over (partition by person_id order by valid_from nulls first) as next_from
    from chosen
    where place_on_day = 1
)

select
    person_id,
    source,
    {% for column in columns %}{{ column }}, {% endfor %}
    valid_from,
    case
        when next_from is not null and (valid_to is null or valid_to >= next_from) then next_from - 1
        else valid_to
    end as valid_to
from followed
{%- endmacro %}
