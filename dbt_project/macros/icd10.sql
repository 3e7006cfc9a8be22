{#
  An ICD-10 code as it is matched: upper case, no dot or padding, without the `X` that fills a missing fourth character and
  without the dagger (`D`) or asterisk (`A`) suffix in the fifth or sixth place: `I10X` is I10, `E112D` is E112, `M0690A` is M0690.
  NULL when nothing is left.
#}
{% macro icd10(code) -%}
    nullif(
        regexp_replace(
            regexp_replace(
                regexp_replace(upper({{ code }}), '[^A-Z0-9]', '', 'g'),
                '^([A-Z][0-9]{2}[0-9X][0-9]?)[AD]$', '\1'
            ),
            '^([A-Z][0-9]{2})X$', '\1'
        ),
        ''
    )
{%- endmacro %}


{# An OPCS-4 code as it is matched: upper case, no dot or padding. NULL when nothing is left (`-` none, `&` invalid). #}
{% macro opcs4(code) -%}
    nullif(regexp_replace(upper({{ code }}), '[^A-Z0-9]', '', 'g'), '')
{%- endmacro %}
