"""Dirt as suppliers have it: typing errors, swapped and missing values, sentinels, wrong and shared NHS numbers, bad rows.

Everything is set-based and depends on its arguments only. A supplier describes its habits with a `Profile` and calls
`identity`;
rows of a finished (string) file are spoilt with `bad_rows`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from synthetic import names
from synthetic.world_schema import Delivery, Fault

_KEYS = np.array(list("abcdefghijklmnopqrstuvwxyz"))


@dataclass(frozen=True)
class Profile:
    """How often a supplier gets an identity wrong: shares between 0 and 1 of its records, one for each kind of dirt."""

    missing_nhs_number: float = 0.0
    wrong_nhs_number: float = 0.0  # one digit mistyped: mostly fails the check
    shared_nhs_number: float = 0.0  # the number of the record before, often somebody of the household
    placeholder_nhs_number: float = 0.0  # 0000000000
    typo_given: float = 0.0
    typo_family: float = 0.0
    nickname: float = 0.0
    transliteration: float = 0.0
    swap_names: float = 0.0
    missing_given: float = 0.0
    drop_middle: float = 0.0
    previous_name: float = 0.0  # still under the previous family name
    double_barrelled: float = 0.0  # family name joined with the previous one
    upper_case: float = 0.0
    swap_day_month: float = 0.0
    typo_birth_date: float = 0.0  # a day or a year out
    truncated_birth_date: float = 0.0  # only the year was known: 1 January
    sentinel_birth_date: float = 0.0  # 1900-01-01
    missing_birth_date: float = 0.0
    missing_sex: float = 0.0
    zz99_postcode: float = 0.0  # ZZ99 3WZ, not known
    missing_postcode: float = 0.0
    typo_postcode: float = 0.0
    unspaced_postcode: float = 0.0


#: Profiles of the order met in practice, by kind of supplier.
GP = Profile(
    missing_nhs_number=0.002, wrong_nhs_number=0.0005, shared_nhs_number=0.0003, typo_given=0.004, typo_family=0.004,
    nickname=0.01, transliteration=0.02, swap_names=0.001, drop_middle=0.3, previous_name=0.02, double_barrelled=0.01,
    swap_day_month=0.001, typo_birth_date=0.001, missing_postcode=0.002, zz99_postcode=0.001, typo_postcode=0.003,
    unspaced_postcode=0.1,
)  # fmt: skip
ACUTE = Profile(
    missing_nhs_number=0.01, wrong_nhs_number=0.003, shared_nhs_number=0.001, typo_given=0.012, typo_family=0.012,
    nickname=0.02, transliteration=0.05, swap_names=0.004, drop_middle=0.7, previous_name=0.08, double_barrelled=0.02,
    upper_case=0.3, swap_day_month=0.004, typo_birth_date=0.003, sentinel_birth_date=0.001, zz99_postcode=0.006,
    typo_postcode=0.01, unspaced_postcode=0.05, missing_sex=0.002,
)  # fmt: skip
COMMUNITY = Profile(
    missing_nhs_number=0.02, wrong_nhs_number=0.003, shared_nhs_number=0.001, typo_given=0.012, typo_family=0.012,
    nickname=0.03, transliteration=0.05, swap_names=0.004, drop_middle=0.8, previous_name=0.08, double_barrelled=0.02,
    swap_day_month=0.004, typo_birth_date=0.003, zz99_postcode=0.005, missing_postcode=0.01, typo_postcode=0.01,
    missing_sex=0.003,
)  # fmt: skip
MENTAL_HEALTH = Profile(
    missing_nhs_number=0.03, wrong_nhs_number=0.004, shared_nhs_number=0.001, typo_given=0.015, typo_family=0.015,
    nickname=0.05, transliteration=0.06, swap_names=0.005, drop_middle=0.8, previous_name=0.08, double_barrelled=0.02,
    swap_day_month=0.006, typo_birth_date=0.004, sentinel_birth_date=0.002, zz99_postcode=0.02, missing_postcode=0.01,
    typo_postcode=0.01, missing_sex=0.004,
)  # fmt: skip
SOCIAL_CARE = Profile(
    missing_nhs_number=0.15, wrong_nhs_number=0.006, shared_nhs_number=0.003, typo_given=0.02, typo_family=0.02,
    nickname=0.06, transliteration=0.08, swap_names=0.008, drop_middle=0.9, previous_name=0.1, double_barrelled=0.02,
    swap_day_month=0.01, typo_birth_date=0.006, truncated_birth_date=0.005, zz99_postcode=0.004, missing_postcode=0.01,
    typo_postcode=0.015, missing_sex=0.005,
)  # fmt: skip
HOUSING = Profile(
    missing_nhs_number=0.60, wrong_nhs_number=0.01, shared_nhs_number=0.004, typo_given=0.03, typo_family=0.03,
    nickname=0.10, transliteration=0.10, swap_names=0.012, missing_given=0.003, drop_middle=0.95, previous_name=0.1,
    double_barrelled=0.02, swap_day_month=0.015, typo_birth_date=0.01, truncated_birth_date=0.01, missing_birth_date=0.02,
    zz99_postcode=0.01, missing_postcode=0.01, typo_postcode=0.02, missing_sex=0.02,
)  # fmt: skip
VOLUNTARY_SECTOR = Profile(
    missing_nhs_number=0.70, wrong_nhs_number=0.02, shared_nhs_number=0.005, placeholder_nhs_number=0.01, typo_given=0.05,
    typo_family=0.06, nickname=0.18, transliteration=0.25, swap_names=0.03, missing_given=0.01, drop_middle=1.0,
    previous_name=0.08, double_barrelled=0.02, swap_day_month=0.03, typo_birth_date=0.02, truncated_birth_date=0.04,
    sentinel_birth_date=0.01, missing_birth_date=0.05, zz99_postcode=0.03, missing_postcode=0.12, typo_postcode=0.03,
    unspaced_postcode=0.3, missing_sex=0.04,
)  # fmt: skip


def identity(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    """The identity columns of `frame` as a supplier with this `profile` holds them; rows, order and other columns stay.

    It changes nhs_number, given_name, middle_names, family_name (with the help of previous_family_name), birth_date, sex and
    postcode, those of them that the frame has. `birth_date` stays a date (NULL when missing), the rest is text.
    Call it once for each record, not for each row of each delivery: a supplier keeps its mistakes.
    """
    steps = {
        "given_name": _given_name,
        "family_name": _family_name,
        "birth_date": _birth_date,
        "postcode": _postcode,
        "nhs_number": _nhs_number,
    }
    for column, step in steps.items():
        if column in frame.columns:
            frame = step(frame, profile, rng)
    if {"given_name", "family_name"} <= set(frame.columns):
        frame = _both_names(frame, profile, rng)
    plain = {"middle_names": profile.drop_middle, "sex": profile.missing_sex}
    blanks = [
        pl.when(_hit(frame, rate, rng)).then(None).otherwise(pl.col(c)).alias(c)
        for c, rate in plain.items()
        if c in frame.columns
    ]
    return frame.with_columns(blanks)


def _hit(frame: pl.DataFrame, rate: float, rng: np.random.Generator) -> pl.Series:
    """A random share of the rows."""
    return pl.Series(rng.random(frame.height) < rate)


def _change(frame: pl.DataFrame, column: str, *changes: tuple[pl.Series, pl.Expr]) -> pl.DataFrame:
    """Apply changes to one column in turn, each where its mask says."""
    for mask, value in changes:
        if mask.any():
            frame = frame.with_columns(pl.when(mask).then(value).otherwise(pl.col(column)).alias(column))
    return frame


def typing_error(column: str, n: int, rng: np.random.Generator) -> pl.Expr:
    """One slip of the keyboard in every value: a letter left out, doubled, exchanged with the next, or another key.

    The first letter is spared, as typists mostly do; values of fewer than three letters stay.
    """
    text = pl.col(column)
    length = text.str.len_chars().cast(pl.Int64)
    at = (pl.Series(rng.integers(1, 1_000, n)) % pl.max_horizontal(length - 1, pl.lit(1))).clip(1, None)
    kind = pl.Series(rng.integers(0, 4, n))
    key = pl.Series(_KEYS[rng.integers(0, len(_KEYS), n)])
    head, here, after = text.str.slice(0, at), text.str.slice(at, 1), text.str.slice(at + 1)
    slipped = (
        pl.when(kind == 0)
        .then(head + after)
        .when(kind == 1)
        .then(head + here + here + after)
        .when(kind == 2)
        .then(head + text.str.slice(at + 1, 1) + here + text.str.slice(at + 2))
        .otherwise(head + key + after)
    )
    return pl.when(length >= 3).then(slipped).otherwise(text)


def variant(column: str, table: dict[str, list[str]], n: int, rng: np.random.Generator) -> pl.Expr:
    """Another form of each value from `table` (value -> forms), chosen at random; values the table does not know stay."""
    forms = pl.col(column).replace_strict(table, default=None, return_dtype=pl.List(pl.String))
    pick = pl.Series(rng.integers(0, 1_000, n)).cast(pl.Int64) % pl.max_horizontal(forms.list.len().cast(pl.Int64), pl.lit(1))
    return forms.list.get(pick, null_on_oob=True).fill_null(pl.col(column))


def _given_name(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    n = frame.height
    return _change(
        frame,
        "given_name",
        (_hit(frame, profile.nickname, rng), variant("given_name", names.NICKNAMES, n, rng)),
        (_hit(frame, profile.transliteration, rng), variant("given_name", names.TRANSLITERATIONS, n, rng)),
        (_hit(frame, profile.typo_given, rng), typing_error("given_name", n, rng)),
        (_hit(frame, profile.missing_given, rng), pl.lit(None, pl.String)),
    )


def _family_name(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    n = frame.height
    changes = []
    if "previous_family_name" in frame.columns:
        previous = pl.col("previous_family_name")
        changes = [
            (_hit(frame, profile.previous_name, rng), previous.fill_null(pl.col("family_name"))),
            (
                _hit(frame, profile.double_barrelled, rng),
                pl.when(previous != pl.col("family_name"))
                .then(previous + pl.lit("-") + pl.col("family_name"))
                .otherwise(pl.col("family_name")),
            ),
        ]
    return _change(
        frame,
        "family_name",
        *changes,
        (_hit(frame, profile.transliteration, rng), variant("family_name", names.TRANSLITERATIONS, n, rng)),
        (_hit(frame, profile.typo_family, rng), typing_error("family_name", n, rng)),
    )


def _both_names(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    given, family = pl.col("given_name"), pl.col("family_name")
    swapped, shouted = _hit(frame, profile.swap_names, rng), _hit(frame, profile.upper_case, rng)
    frame = frame.with_columns(
        pl.when(swapped).then(family).otherwise(given).alias("given_name"),
        pl.when(swapped).then(given).otherwise(family).alias("family_name"),
    )
    return frame.with_columns(pl.when(shouted).then(c.str.to_uppercase()).otherwise(c) for c in (given, family))


def _birth_date(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    born = pl.col("birth_date")
    slip = pl.Series(rng.choice(np.array([-365, -10, -1, 1, 10, 365]), frame.height))
    swapped = pl.when(born.dt.day() <= 12).then(pl.date(born.dt.year(), born.dt.day(), born.dt.month())).otherwise(born)
    return _change(
        frame,
        "birth_date",
        (_hit(frame, profile.swap_day_month, rng), swapped),
        (_hit(frame, profile.typo_birth_date, rng), born + pl.duration(days=slip)),
        (_hit(frame, profile.truncated_birth_date, rng), born.dt.truncate("1y")),
        (_hit(frame, profile.sentinel_birth_date, rng), pl.date(1900, 1, 1)),
        (_hit(frame, profile.missing_birth_date, rng), pl.lit(None, pl.Date)),
    )


def _postcode(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    text = pl.col("postcode")
    wrong = text.str.slice(0, text.str.len_chars() - 1) + pl.Series(np.array(list("ABDEFGHJL"))[rng.integers(0, 9, frame.height)])
    return _change(
        frame,
        "postcode",
        (_hit(frame, profile.typo_postcode, rng), wrong),
        (_hit(frame, profile.unspaced_postcode, rng), text.str.replace(" ", "", literal=True)),
        (_hit(frame, profile.zz99_postcode, rng), pl.lit("ZZ99 3WZ")),
        (_hit(frame, profile.missing_postcode, rng), pl.lit(None, pl.String)),
    )


def _nhs_number(frame: pl.DataFrame, profile: Profile, rng: np.random.Generator) -> pl.DataFrame:
    number = pl.col("nhs_number")
    at = pl.Series(rng.integers(3, 10, frame.height))
    digit = number.str.slice(at, 1).cast(pl.Int64, strict=False)
    wrong = number.str.slice(0, at) + ((digit + 1 + pl.Series(rng.integers(0, 9, frame.height))) % 10).cast(pl.String)
    return _change(
        frame,
        "nhs_number",
        (_hit(frame, profile.shared_nhs_number, rng), number.shift(1).fill_null(number)),
        (_hit(frame, profile.wrong_nhs_number, rng), wrong + number.str.slice(at + 1)),
        (_hit(frame, profile.placeholder_nhs_number, rng), pl.lit("0000000000")),
        (_hit(frame, profile.missing_nhs_number, rng), pl.lit(None, pl.String)),
    )


#: kind -> the text that spoils a value. `blank` empties it.
BAD_VALUES = {
    "31 February": {"yyyy-MM-dd": "2025-02-31", "yyyyMMdd": "20250231", "dd MMM yyyy": "31 Feb 2025", "dd/MM/yyyy": "31/02/2025"},
    "letters in a number": "12O4x",
    "blank": "",
}


def bad_rows(
    frame: pl.DataFrame,
    rate: float,
    rng: np.random.Generator,
    kinds: dict[str, str],
    *,
    delivery: Delivery,
    source: str,
    file: str,
    identity: str,
    date_format: str = "yyyy-MM-dd",
) -> tuple[pl.DataFrame, list[Fault]]:
    """Spoil about `rate` of the rows of a CSV-ready frame (all columns text), each in one way, and say which.

    `kinds` maps a column to what goes wrong with it: a key of `BAD_VALUES` or the very text to put there. `identity` is the
    column
    whose value names the row in the truth file (taken before it is spoilt). `date_format` is one of those of "31 February".
    The rows are expected in quarantine: choose required dates, numbers and keys.
    """
    hit = np.flatnonzero(rng.random(frame.height) < rate)
    if not hit.size or not kinds:
        return frame, []
    columns = list(kinds)
    which = rng.integers(0, len(columns), hit.size)
    named = frame[identity].gather(hit).cast(pl.String).fill_null("").to_list()
    faults = []
    for number, column in enumerate(columns):
        rows = hit[which == number]
        kind = kinds[column]
        text = BAD_VALUES.get(kind, kind)
        value = text[date_format] if isinstance(text, dict) else text
        mask = np.zeros(frame.height, dtype=bool)
        mask[rows] = True
        frame = frame.with_columns(pl.when(pl.Series(mask)).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))
        spoilt = [named[i] for i in np.flatnonzero(which == number)]
        faults += [Fault(delivery.index, source, file, row, f"{column}: {kind}", "quarantined") for row in spoilt]
    return frame, faults
