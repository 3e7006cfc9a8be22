{#
  What an encounter is taken to cost, in pounds: one unit for a contact, one for each day of a stay and at least one. Zero for an
  appointment that was not attended; NULL while a stay lasts, when attendance is unknown, or when there is no unit cost.
  `price` is the encounter's row of seed `unit_cost`.
#}
{% macro encounter_cost(encounter, price) -%}
    case
        when {{ encounter }}.is_attended and {{ price }}.unit = 'day'
            then {{ price }}.unit_cost_gbp * case
                when {{ encounter }}.ended_at is not null
                    then greatest(1, date_diff('day', {{ encounter }}.started_at, {{ encounter }}.ended_at))
            end
        when {{ encounter }}.is_attended then {{ price }}.unit_cost_gbp
        when not {{ encounter }}.is_attended then 0
    end
{%- endmacro %}
