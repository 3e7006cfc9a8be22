{#
  Limits of the 95 % interval of a share of `n`, `k` of which count, by the score method of Wilson (1927): it holds for small numbers
  and for shares near 0 and 1. Newcombe, Statistics in Medicine 1998;17:857, recommends it. NULL where there is nothing.
#}
{% macro wilson_low(k, n) -%}{{ _wilson(k, n, '-') }}{%- endmacro %}

{% macro wilson_high(k, n) -%}{{ _wilson(k, n, '+') }}{%- endmacro %}

{% macro _wilson(k, n, sign) -%}
    {%- set z2 = 3.841458821 -%}
    (
        ({{ k }}) + {{ z2 / 2 }} {{ sign }} sqrt({{ z2 }} * (({{ k }}) * (1.0 - ({{ k }}) / nullif({{ n }}, 0)) + {{ z2 / 4 }}))
    ) / (nullif({{ n }}, 0) + {{ z2 }})
{%- endmacro %}


{#
  Limits of the 95 % interval of the ratio of two shares, from the limits of each (MOVER-R: Donner and Zou, Statistical Methods in
  Medical Research 2012;21:347). Arguments name columns. NULL where the share below the line is too uncertain to divide by.
#}
{% macro ratio_low(share, low, high, reference, reference_low, reference_high) -%}
    (
        {{ share }} * {{ reference }}
        - sqrt(greatest(
            power({{ share }} * {{ reference }}, 2)
            - {{ low }} * {{ reference_high }} * (2 * {{ share }} - {{ low }}) * (2 * {{ reference }} - {{ reference_high }}),
            0
        ))
    ) / case when 2 * {{ reference }} > {{ reference_high }} then {{ reference_high }} * (2 * {{ reference }} - {{ reference_high }}) end
{%- endmacro %}

{% macro ratio_high(share, low, high, reference, reference_low, reference_high) -%}
    (
        {{ share }} * {{ reference }}
        + sqrt(greatest(
            power({{ share }} * {{ reference }}, 2)
            - {{ high }} * {{ reference_low }} * (2 * {{ share }} - {{ high }}) * (2 * {{ reference }} - {{ reference_low }}),
            0
        ))
    ) / nullif({{ reference_low }} * (2 * {{ reference }} - {{ reference_low }}), 0)
{%- endmacro %}
