{#
  A predicate for `current_rows(..., keep=...)` on an EMIS table with organisation_guid: true unless the row is a delete that
  came while the sharing agreement of its practice was disabled. EMIS empties the extract of such a practice; its patients have
  gone nowhere. The agreement is read as it stood on the day of the delete, so that a replay of old loads gives the same answer.
#}
{% macro emis_delete_stands() -%}
not (
    candidate._is_deleted
    and exists (
        select 1
        from (
            select
                organisation_guid,
                disabled,
                _delivery_date as stands_from,
                lead(_delivery_date) over (partition by organisation_guid order by _delivery_date, _load_seq) as stands_to
            from {{ source('gp_emis', 'agreements_sharing_organisation') }}
        ) as agreement
        where agreement.disabled
            and agreement.organisation_guid = candidate.organisation_guid
            and candidate._delivery_date >= agreement.stands_from
            and (agreement.stands_to is null or candidate._delivery_date < agreement.stands_to)
    )
)
{%- endmacro %}
