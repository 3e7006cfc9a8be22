"""What the suppliers outside health share: the days on which they send, and a person's identity as their systems hold it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from synthetic import dirt, views
from synthetic.emission import RECORD_TRUTH
from synthetic.world_schema import Chunk, Delivery, Fault

#: Shares of rows that landing must quarantine, and the smallest file in which one is planted: a single bad row in a short
#: file would be more than the share of bad rows at which a whole delivery is refused.
BAD_ROW_RATE = 0.001
_SMALLEST_SPOILT_FILE = 200

_SCATTER, _SCATTER_MODULUS = 7_919, 90_000_000
_WEDNESDAY = 2


def quarter_start(day: date) -> date:
    """First day of the calendar quarter of `day`."""
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def quarter_end_before(day: date) -> date:
    """Last day of the newest calendar quarter that was over before `day`."""
    return quarter_start(day) - timedelta(days=1)


def quarter_name(end: date) -> str:
    """`2026Q1` for the quarter that ends on `end`."""
    return f"{end.year}Q{end.month // 3}"


def new_quarter(delivery: Delivery) -> date | None:
    """End of the quarter that a quarterly supplier reports in this delivery; None when it has nothing new to report."""
    end = quarter_end_before(delivery.date)
    if delivery.previous is not None and quarter_end_before(delivery.previous) == end:
        return None
    return end


def sends_monthly(delivery: Delivery) -> bool:
    """The bulk, and the first delivery of every month."""
    if delivery.previous is None:
        return True
    return (delivery.previous.year, delivery.previous.month) != (delivery.date.year, delivery.date.month)


def sends_weekly(delivery: Delivery) -> bool:
    """The bulk, and every delivery with a Wednesday since the one before."""
    if delivery.previous is None:
        return True
    days_since_wednesday = (delivery.date.weekday() - _WEDNESDAY) % 7
    return delivery.date - timedelta(days=days_since_wednesday) > delivery.previous


def local_number(person_no: pl.Expr, salt: int) -> pl.Expr:
    """A system's own number of a person, as text: distinct for distinct people (up to 90 million), unlike for neighbours."""
    return ((person_no * _SCATTER + salt) % _SCATTER_MODULUS).cast(pl.String).str.zfill(8)


def identities(
    chunk: Chunk, people: pl.Series, deliveries: list[Delivery], profile: dirt.Profile, rng: np.random.Generator
) -> pl.DataFrame:
    """One row per person of `people` (numbers, repeated or not): their identity with the supplier's mistakes, made once."""
    known = views.identities(chunk, deliveries[-1].date).filter(pl.col("person_no").is_in(people.unique().implode()))
    return dirt.identity(known.sort("person_no"), profile, rng)


def uk(column: str) -> pl.Expr:
    """A date column as `dd/mm/yyyy`."""
    return pl.col(column).dt.strftime("%d/%m/%Y")


def iso(column: str) -> pl.Expr:
    """A date column as `yyyy-mm-dd`."""
    return pl.col(column).dt.strftime("%Y-%m-%d")


def until(column: str, day: date) -> pl.Expr:
    """An end date as it is known on `day`: one that lies ahead is not."""
    return pl.when(pl.col(column) <= day).then(pl.col(column))


def truth(source: str, frame: pl.DataFrame, *local_id: pl.Expr) -> pl.DataFrame:
    """`RECORD_TRUTH` rows of the distinct records in `frame`; `local_id` are the record_id columns of the contract, in order."""
    return (
        frame.select(pl.lit(source).alias("source"), pl.concat_str(*local_id, separator="|").alias("local_id"), "person_no")
        .drop_nulls("local_id")
        .unique(maintain_order=True)
        .cast(RECORD_TRUTH)
    )


def spoil(
    frame: pl.DataFrame, rng: np.random.Generator, kinds: dict[str, str], delivery: Delivery, source: str, file: str,
    identity: str, date_format: str,
) -> tuple[pl.DataFrame, list[Fault]]:  # fmt: skip
    """`dirt.bad_rows` at the usual rate; short files are left alone."""
    if frame.height < _SMALLEST_SPOILT_FILE:
        return frame, []
    return dirt.bad_rows(
        frame, BAD_ROW_RATE, rng, kinds, delivery=delivery, source=source, file=file, identity=identity, date_format=date_format
    )
