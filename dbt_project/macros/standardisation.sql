{#
  Statistics of rates. Rates are shares of people (0 to 1), `n` those who count, and a limit is that of a 95 % interval. Each macro says
  where its method comes from; tests/dbt/test_comparisons.py holds them to scipy.
#}

{#
  A sum of doubles hangs in its last digits on the order in which they are added. Rounded far beyond what is shown, what lies exactly
  between two shown values falls the same way every night.
#}
{% macro settled(expression, digits) -%}
    round({{ expression }}, {{ digits }})
{%- endmacro %}


{#
  Limits of a Poisson count: Byar's approximation to the exact ones of the chi-square distribution (Breslow and Day, Statistical Methods
  in Cancer Research II, 1987, formula 2.13, from the cube-root law of Wilson and Hilferty 1931). Within 1 % of the exact
  limits from a count of 10.
#}
{% macro byar_low(n) -%}
    case
        when ({{ n }}) > 0 then ({{ n }}) * power(1 - 1.0 / (9 * ({{ n }})) - 1.959963985 / (3 * sqrt({{ n }})), 3)
        when ({{ n }}) = 0 then 0
    end
{%- endmacro %}

{% macro byar_high(n) -%}
    (({{ n }}) + 1) * power(1 - 1.0 / (9 * (({{ n }}) + 1)) + 1.959963985 / (3 * sqrt(({{ n }}) + 1)), 3)
{%- endmacro %}


{#
  Limits of a directly standardised rate: those of the count behind it, moved and stretched to the rate and its variance (Dobson et al.,
  Statistics in Medicine 1991;10:457).
#}
{% macro dobson_low(rate, variance, n) -%}
    greatest({{ rate }} + sqrt({{ variance }} / nullif({{ n }}, 0)) * ({{ byar_low(n) }} - ({{ n }})), 0)
{%- endmacro %}

{% macro dobson_high(rate, variance, n) -%}
    ({{ rate }} + sqrt({{ variance }} / nullif({{ n }}, 0)) * ({{ byar_high(n) }} - ({{ n }})))
{%- endmacro %}


{#
  Directly age-sex standardised rates: a query with `keys`, n_standardised (people of known age and sex who count), rate, variance, and
  share_of_standard, the part of the standard population in whose age bands the group has anybody.

  `cells` has the keys, age_band, sex, n and population. The standard is the same for both sexes: in each band each sex weighs half, or one
  sex all when the group has nobody of the other. A band without people is left out, and the others take its weight.
  The variance is that of shares, because a person counts once at most: with rare measures it is that of Poisson counts.
#}
{% macro standardised_rates(cells, keys) -%}
    select
        {%- for key in keys %}
        band.{{ key }},
        {%- endfor %}
        sum(band.n) as n_standardised,
        {{ settled('sum(standard.population * band.rate) / sum(standard.population)', 12) }} as rate,
        {{ settled('sum(power(standard.population, 2) * band.variance) / power(sum(standard.population), 2)', 16) }} as variance,
        sum(standard.population) / 100000.0 as share_of_standard
    from (
        select
            {{ keys | join(', ') }},
            age_band,
            sum(n) as n,
            avg(n / population) as rate,
            sum(n / population * (1 - n / population) / population) / power(count(*), 2) as variance
        from {{ cells }}
        where sex in ('M', 'F')
            and population > 0
        group by {{ keys | join(', ') }}, age_band
    ) as band
    inner join {{ ref('european_standard_population') }} as standard
        on band.age_band = standard.age_band
    group by {% for key in keys %}band.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}


{#
  Why a standardised rate is not given; NULL when it is. Fewer than ten events make its limits meaningless (the rule of the Office for
  Health Improvement and Disparities), and so do ages, more than a twentieth of the standard, in which the group has nobody.
#}
{% macro standardised_rate_fault(n_standardised, share_of_standard) -%}
    case
        when coalesce({{ n_standardised }}, 0) < 10 then 'fewer_than_10'
        when {{ share_of_standard }} < 0.95 then 'ages_without_people'
    end
{%- endmacro %}


{#
  A count of people who may count or not, each with a probability of their own, has mean `expected`, a variance and a third central
  moment. `funnel_limit` is the count that is passed with the probability of a normal value beyond `z`; `funnel_z` is its inverse:
  the expansion of Cornish and Fisher (Revue de l'Institut International de Statistique 1938;5:307) to the skewness. For rare measures it
  is the Poisson limit, for others the binomial one; both lie where the exact probability, half of that of the count itself
  included, does. Arguments name columns.
#}
{% macro funnel_limit(expected, variance, third_moment, z) -%}
    {%- set bend = _funnel_bend(variance, third_moment) -%}
    {#- beyond this distance the expansion turns back: nobody can be further out -#}
    {%- set turn = '(-1 / (2 * ' ~ bend ~ '))' -%}
    {%- set reached -%}
        case when {{ bend }} > 0 then greatest({{ z }}, {{ turn }}) when {{ bend }} < 0 then least({{ z }}, {{ turn }}) else {{ z }} end
    {%- endset -%}
    greatest({{ expected }} + sqrt({{ variance }}) * (({{ reached }}) + {{ bend }} * (power({{ reached }}, 2) - 1)), 0)
{%- endmacro %}

{% macro funnel_z(n, expected, variance, third_moment) -%}
    {%- set bend = _funnel_bend(variance, third_moment) -%}
    {%- set distance = '((' ~ n ~ ' - ' ~ expected ~ ') / sqrt(' ~ variance ~ ') + ' ~ bend ~ ')' -%}
    2 * {{ distance }} / (1 + sqrt(greatest(1 + 4 * {{ bend }} * {{ distance }}, 0)))
{%- endmacro %}

{#- a sixth of the skewness -#}
{% macro _funnel_bend(variance, third_moment) -%}
    ({{ third_moment }} / (6 * power({{ variance }}, 1.5)))
{%- endmacro %}
