"""The dates a world spans, and small tools on NumPy dates that every part of it uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

NEVER = np.datetime64("NaT")
#: The world goes on this long after the bulk delivery, however few nights are asked for: more nights never change the past.
NIGHTS_FORESEEN = 31


@dataclass(frozen=True)
class Window:
    """Three years of events end with the bulk delivery on `end`; life goes on until `horizon` for the nights after it."""

    start: date
    end: date
    horizon: date

    @classmethod
    def ending(cls, end: date, nights: int) -> Window:
        return cls(end - timedelta(days=3 * 365), end, end + timedelta(days=max(nights, NIGHTS_FORESEEN)))

    @property
    def first(self) -> np.datetime64:
        return np.datetime64(self.start)

    @property
    def bulk(self) -> np.datetime64:
        return np.datetime64(self.end)

    @property
    def last(self) -> np.datetime64:
        return np.datetime64(self.horizon)

    @property
    def days(self) -> int:
        """Days from the first to the last of the world."""
        return (self.horizon - self.start).days


def days(values: np.ndarray) -> np.ndarray:
    """Numbers (of days) as a timedelta, whole days."""
    return np.floor(values).astype("timedelta64[D]")


def random_days(
    rng: np.random.Generator, start: np.ndarray | np.datetime64, end: np.ndarray | np.datetime64, n: int
) -> np.ndarray:
    """`n` dates between start and end (inclusive of both); where end is before start, start."""
    span = np.maximum((end - start).astype(np.int64), 0)
    return start + days(rng.random(n) * (span + 1))


def pick(rng: np.random.Generator, weights: np.ndarray | list[float], n: int) -> np.ndarray:
    """`n` positions drawn with the given (not normalised) weights."""
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative / cumulative[-1], rng.random(n), side="right").clip(max=len(cumulative) - 1)


def pick_rows(rng: np.random.Generator, cumulative: np.ndarray, row: np.ndarray) -> np.ndarray:
    """One position for each entry of `row`, drawn from that row of a matrix of cumulative probabilities."""
    return (cumulative[row] < rng.random(len(row))[:, None]).sum(axis=1).clip(max=cumulative.shape[1] - 1)


def labels(values: tuple[str, ...] | list[str | None], index: np.ndarray) -> pl.Series:
    """Text by position, without a Python object per row; a position of -1 is NULL."""
    table = pl.Series([*values, None], dtype=pl.String)
    return table.gather(np.where(index < 0, len(values), index))


def nullable(mask: np.ndarray, values: pl.Series | np.ndarray) -> pl.Series:
    """`values` where the mask holds, NULL elsewhere."""
    series = values if isinstance(values, pl.Series) else pl.Series(values)
    return pl.select(pl.when(pl.Series(mask)).then(series)).to_series()
