{# Periods valid_from to valid_to (days, both included; NULL is open) of one `entity` do not overlap. #}
{% test periods_do_not_overlap(model, entity) %}
with ordered as (
    select
        valid_to,
        row_number() over by_start as place,
        lead(valid_from) over by_start as next_from,
        lead({{ entity }}) over by_start as next_entity
    from {{ model }}
    window by_start as (partition by {{ entity }} order by valid_from nulls first)
)

select
    place,
    valid_to,
    next_from
from ordered
where next_entity is not null
    and (next_from is null or valid_to is null or valid_to >= next_from)
{% endtest %}
