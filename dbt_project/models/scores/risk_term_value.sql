-- Every term is a ramp: nothing up to its lower limit, 1 from its upper limit, a straight line between. The value is a decimal, so
-- that its product with a coefficient, and the sum, are the same in whatever order they are taken.
select
    fact.person_id,
    term.term_code,
    term.feature,
    cast(
        (least(greatest(fact.quantity, term.lower), term.upper) - term.lower) / (term.upper - term.lower) as decimal(10, 9)
    ) as value
from {{ unpivoted(ref('risk_feature'), ['person_id', 'as_of']) }} as fact
inner join {{ ref('risk_term') }} as term
    on fact.feature = term.feature
where fact.quantity > term.lower
