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


{#
  How many people are there, when `n` were seen on at least one of `n_lists` lists, `f1` on exactly one and `f2` on exactly two? The lower
  bound of Chao (Biometrics 1987;43:783), bias-corrected for few lists as in Chiu et al. (Biometrics 2014;70:671), and its variance.
  It holds when people differ in how likely they are to be seen; if lists find the same people more often than chance, it is too low.
#}
{% macro chao_lower_bound(n, f1, f2, n_lists) -%}
    (({{ n }}) + {{ (n_lists - 1) / n_lists }} * ({{ f1 }}) * (({{ f1 }}) - 1) / (2 * (({{ f2 }}) + 1)))
{%- endmacro %}

{% macro chao_variance(n, f1, f2, n_lists) -%}
    {%- set a = (n_lists - 1) / n_lists -%}
    case
        when {{ f2 }} > 0 then {{ f2 }} * (
            {{ a / 2 }} * power(1.0 * {{ f1 }} / {{ f2 }}, 2)
            + {{ a * a }} * power(1.0 * {{ f1 }} / {{ f2 }}, 3)
            + {{ a * a / 4 }} * power(1.0 * {{ f1 }} / {{ f2 }}, 4)
        )
        else {{ a / 2 }} * {{ f1 }} * ({{ f1 }} - 1)
            + {{ a * a / 4 }} * {{ f1 }} * power(2 * {{ f1 }} - 1, 2)
            - {{ a * a / 4 }} * power({{ f1 }}, 4) / nullif({{ chao_lower_bound(n, f1, f2, n_lists) }}, 0)
    end
{%- endmacro %}


{#
  The same from two lists with `n1` and `n2` people, `m` of them on both (Chapman 1951), and its variance (Seber 1970). The two must find
  people independently of each other, and everybody alike.
#}
{% macro chapman(n1, n2, m) -%}
    (1.0 * (({{ n1 }}) + 1) * (({{ n2 }}) + 1) / (({{ m }}) + 1) - 1)
{%- endmacro %}

{% macro chapman_variance(n1, n2, m) -%}
    (
        1.0 * (({{ n1 }}) + 1) * (({{ n2 }}) + 1) * (({{ n1 }}) - ({{ m }})) * (({{ n2 }}) - ({{ m }}))
        / (power(({{ m }}) + 1, 2) * (({{ m }}) + 2))
    )
{%- endmacro %}


{#
  A limit of the 95 % interval of such a number, `side` being 'low' or 'high': the unseen are taken to be log-normal, so that the limit
  is never below the `n` who were seen (Chao 1987). Arguments name columns.
#}
{% macro unseen_limit(n, estimate, variance, side) -%}
    {%- set factor = "exp(1.959964 * sqrt(ln(1 + greatest(" ~ variance ~ ", 0) / power(" ~ estimate ~ " - " ~ n ~ ", 2))))" -%}
    case
        when {{ estimate }} > {{ n }} then {{ n }} + ({{ estimate }} - {{ n }}) {{ '/' if side == 'low' else '*' }} {{ factor }}
        else {{ n }}
    end
{%- endmacro %}
