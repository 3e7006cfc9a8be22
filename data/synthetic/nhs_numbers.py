"""NHS numbers for synthetic people: valid (modulus 11), unique by construction, and never issued.

The first 0.9 million come from the test range 999 000 0000 to 999 999 9999, the rest from 500-599, which is not issued.
Of the ten numbers that share their first eight digits nine are used, so that the i-th number is arithmetic, not a search;
an affine permutation scatters neighbours. Numbers of ten equal digits pass the check but are placeholders: both ranges stop
short of them.
"""

from __future__ import annotations

import numpy as np
import polars as pl

_WEIGHTS = np.arange(10, 2, -1)  # weights of the first eight digits; the ninth has weight 2
_TEST_CAPACITY = 99_999 * 9
_BEYOND_CAPACITY = 5_555_555 * 9
_MULTIPLIER = 611_953  # prime, and divides neither capacity

#: One superseded number is reserved after every so many people.
PEOPLE_PER_SPARE = 200


def nhs_numbers(index: np.ndarray, seed: int) -> pl.Series:
    """The NHS numbers at non-negative positions `index`, ten digits as text. Distinct positions give distinct numbers.

    Raises `ValueError` beyond 50.9 million.
    """
    index = np.asarray(index, dtype=np.int64)
    if index.size and index.max() >= _TEST_CAPACITY + _BEYOND_CAPACITY:
        raise ValueError(f"no more than {_TEST_CAPACITY + _BEYOND_CAPACITY:,} synthetic NHS numbers exist")
    in_test = index < _TEST_CAPACITY
    scattered = np.where(
        in_test,
        (index * _MULTIPLIER + seed % _TEST_CAPACITY) % _TEST_CAPACITY,
        ((index - _TEST_CAPACITY) * _MULTIPLIER + seed % _BEYOND_CAPACITY) % _BEYOND_CAPACITY,
    )
    first_eight = np.where(in_test, 99_900_000, 50_000_000) + scattered // 9
    digits = first_eight[:, None] // 10 ** np.arange(7, -1, -1) % 10
    partial = (digits * _WEIGHTS).sum(axis=1)
    # A sum of 1 modulo 11 has no check digit: skip the one ninth digit that would make it (none when it would be 10).
    impossible = (1 - partial) * 6 % 11
    ninth = scattered % 9
    ninth += ninth >= impossible
    check = (11 - (partial + 2 * ninth) % 11) % 11
    return pl.Series("nhs_number", first_eight * 100 + ninth * 10 + check).cast(pl.String)


def current_index(person_no: np.ndarray) -> np.ndarray:
    """Position of a person's own number."""
    return person_no + person_no // PEOPLE_PER_SPARE


def superseded_index(person_no: np.ndarray) -> np.ndarray:
    """Position of the spare number of the person's group of `PEOPLE_PER_SPARE`: give it to one person of the group only."""
    return (person_no // PEOPLE_PER_SPARE) * (PEOPLE_PER_SPARE + 1) + PEOPLE_PER_SPARE


def is_valid(number: pl.Expr) -> pl.Expr:
    """Whether ten-digit text passes the modulus 11 check and is not ten equal digits."""
    digits = [number.str.slice(i, 1).cast(pl.Int64, strict=False) for i in range(10)]
    total = sum((digit * weight for digit, weight in zip(digits, range(10, 0, -1), strict=True)), pl.lit(0))
    equal = pl.all_horizontal(digit == digits[0] for digit in digits[1:])
    return number.str.contains(r"^\d{10}$") & (total % 11 == 0) & ~equal
