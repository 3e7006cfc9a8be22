{# The probability that a standard normal value is at least `z`. Abramowitz and Stegun 1964, 26.2.17: error below 7.5e-8. #}
{% macro normal_upper_tail(z) -%}
    case
        when {{ z }} >= 0 then {{ _normal_tail(z) }}
        else 1 - {{ _normal_tail('-(' ~ z ~ ')') }}
    end
{%- endmacro %}


{% macro _normal_tail(z) -%}
    (
        exp(-({{ z }}) * ({{ z }}) / 2) / sqrt(2 * pi())
        * (
            0.319381530 * pow(1 + 0.2316419 * ({{ z }}), -1)
            - 0.356563782 * pow(1 + 0.2316419 * ({{ z }}), -2)
            + 1.781477937 * pow(1 + 0.2316419 * ({{ z }}), -3)
            - 1.821255978 * pow(1 + 0.2316419 * ({{ z }}), -4)
            + 1.330274429 * pow(1 + 0.2316419 * ({{ z }}), -5)
        )
    )
{%- endmacro %}
