"""Reporting months as hospital suppliers deliver them: closed years in one file, the months still open one by one.

A month is counted as year * 12 + month - 1. It stays open for some days of the next one; what is recorded later counts in the
month it was recorded in, so that a closed month never changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from synthetic.world_schema import Delivery

#: Activity begins this long before the bulk delivery.
_HISTORY = timedelta(days=3 * 365)


@dataclass(frozen=True)
class Period:
    """The months that one file covers, first and last included."""

    first: int
    last: int

    @property
    def label(self) -> str:
        """`202504` for one month, `202404-202503` for several."""
        labels = [f"{month // 12}{month % 12 + 1:02d}" for month in (self.first, self.last)]
        return labels[0] if self.first == self.last else "-".join(labels)

    @property
    def start(self) -> date:
        return date(self.first // 12, self.first % 12 + 1, 1)

    @property
    def end(self) -> date:
        return date((self.last + 1) // 12, (self.last + 1) % 12 + 1, 1) - timedelta(days=1)

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows whose `month` lies in the period."""
        return frame.filter(pl.col("month").is_between(self.first, self.last))


def refreshed_daily(delivery: Delivery, days_open: int) -> list[Period]:
    """Periods of a supplier that sends its open months every night; the first delivery brings closed years as well."""
    since = delivery.previous or delivery.date - timedelta(days=1)
    days = [since + timedelta(days=i + 1) for i in range((delivery.date - since).days)]
    return _periods(delivery, {month for day in days for month in _open_months(day, days_open)})


def submitted_monthly(delivery: Delivery) -> list[Period]:
    """Periods of a supplier that submits on the first of a month: the month before again, and the new one.

    No period when no first of a month has passed since the previous delivery.
    """
    since = delivery.previous or delivery.date - timedelta(days=1)
    days = [since + timedelta(days=i + 1) for i in range((delivery.date - since).days)]
    if not delivery.is_bulk:
        days = [day for day in days if day.day == 1]
    return _periods(delivery, {month for day in days for month in _open_months(day, 1)})


def reported_month(activity: str, recorded: str, days_open: int) -> pl.Expr:
    """The month in which an event is reported: that of its date while the month is open, else that of its recording."""
    closes = pl.col(activity).dt.month_end() + pl.duration(days=days_open)
    return month_of(pl.when(pl.col(recorded) <= closes).then(pl.col(activity)).otherwise(pl.col(recorded)))


def month_of(day: pl.Expr) -> pl.Expr:
    """Month number of a date."""
    return day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1


def month_start(month: pl.Expr) -> pl.Expr:
    """First day of a month number."""
    return pl.date(month // 12, month % 12 + 1, 1)


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _open_months(day: date, days_open: int) -> set[int]:
    month = _month(day)
    return {month - 1, month} if day.day <= days_open else {month}


def _periods(delivery: Delivery, months: set[int]) -> list[Period]:
    closed = _closed_years(_month(delivery.date - _HISTORY), min(months)) if delivery.is_bulk else []
    return closed + [Period(month, month) for month in sorted(months)]


def _closed_years(first: int, end: int) -> list[Period]:
    """Financial years, April to March, from month `first` up to but not including month `end`."""
    starts = [first] + [month for month in range(first + 1, end) if month % 12 == 3]
    return [Period(start, last - 1) for start, last in zip(starts, [*starts[1:], end], strict=True) if start < last]
