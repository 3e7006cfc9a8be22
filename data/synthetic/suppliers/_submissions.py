"""What the community and mental health suppliers share: monthly submissions in which whatever is still open is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time

import numpy as np
import polars as pl

from synthetic import dirt
from synthetic.emission import Emission, csv_part
from synthetic.place import Place
from synthetic.suppliers import _periods as periods
from synthetic.world_schema import Delivery

#: In files of closed years only: in the small file of a young month one bad row could be a share that refuses the file.
_BAD_ROWS = 0.001
_DAYS_OPEN = 1
_APRIL_1900 = 1900 * 12 + 2  # month number before April 1900, the first reporting month


class Submission:
    """One provider's submission of one period in a delivery: names its files and adds them to an emission."""

    def __init__(self, source: str, delivery: Delivery, provider: str, period: periods.Period) -> None:
        self.source, self.delivery, self.provider, self.period = source, delivery, provider, period
        #: Grows from delivery to delivery; two periods of one delivery differ in the month.
        self.id = f"{delivery.date:%y%m%d}{period.label[-6:]}"

    @property
    def created_at(self) -> datetime:
        return datetime.combine(self.delivery.date, time(4, 30))

    def file(self, table: str) -> str:
        return f"{self.provider}_{self.period.label}_{self.id}_{table}.csv"

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of this provider and period that were recorded by the delivery's date."""
        mine = (pl.col("provider_code") == self.provider) & (pl.col("recorded_on") <= self.delivery.date)
        return self.period.of(frame.filter(mine))

    def months_of(self, frame: pl.DataFrame, started: str, ended: str) -> pl.DataFrame:
        """A row for every month of the period in which something was open: `month`, `month_start`, `seen_on`, `ended_on`.

        `seen_on` is the last day the month's row can tell of; `ended_on` is NULL while the end lies after it.
        """
        mine = frame.filter((pl.col("provider_code") == self.provider) & (pl.col("recorded_on") <= self.delivery.date))
        first = periods.reported_month(started, "recorded_on", _DAYS_OPEN).clip(lower_bound=self.period.first)
        last = periods.month_of(pl.col(ended)).fill_null(self.period.last).clip(upper_bound=self.period.last)
        return (
            mine.with_columns(month=pl.int_ranges(first, last + 1))
            .explode("month")
            .drop_nulls("month")
            .with_columns(month_start=periods.month_start(pl.col("month")))
            .with_columns(seen_on=pl.min_horizontal(pl.col("month_start").dt.month_end(), pl.lit(self.delivery.date)))
            .with_columns(ended_on=pl.when(pl.col(ended) <= pl.col("seen_on")).then(pl.col(ended)))
        )

    def add(
        self,
        emission: Emission,
        table: str,
        rows: pl.DataFrame,
        columns: dict[str, pl.Expr],
        identity: str,
        rng: np.random.Generator,
        spoilt: dict[str, str],
    ) -> None:
        """Add a table's rows; in closed years about one in a thousand is spoilt in one of the `spoilt` columns."""
        file = self.file(table)
        frame, faults = dirt.bad_rows(
            rows.select(**columns),
            _BAD_ROWS if self.period.first < self.period.last else 0.0,
            rng,
            spoilt,
            delivery=self.delivery,
            source=self.source,
            file=file,
            identity=identity,
        )
        emission.parts.append(csv_part(self.delivery, self.source, file, frame))
        emission.faults += faults


def submissions(source: str, deliveries: list[Delivery], place: Place, provider_type: str) -> Iterator[Submission]:
    """Every submission of the deliveries by the providers of one type, in the order they are made."""
    providers = place.providers.filter(provider_type=provider_type)["provider_code"].to_list()
    for delivery in deliveries:
        for period in periods.submitted_monthly(delivery):
            for provider in providers:
                yield Submission(source, delivery, provider, period)


def reported_month(activity: str) -> pl.Expr:
    """The month in which a contact is sent, once."""
    return periods.reported_month(activity, "recorded_on", _DAYS_OPEN)


def month_id() -> pl.Expr:
    """Sequential reporting month of `month`, 1 for April 1900."""
    return (pl.col("month") - _APRIL_1900).cast(pl.String)


def iso(column: str) -> pl.Expr:
    """A date as text, `yyyy-MM-dd`."""
    return pl.col(column).dt.strftime("%Y-%m-%d")


def clock(number: str) -> pl.Expr:
    """A time of day within working hours, from a number."""
    minutes = pl.col(number) * 37 % 540 + 480
    return pl.format("{}:{}:00", *((part.cast(pl.String).str.zfill(2)) for part in (minutes // 60, minutes % 60)))


def unique_id(kind: str, number: str) -> pl.Expr:
    """An id unique over all providers: the provider's code and its own number."""
    return pl.col("provider_code") + pl.lit(kind) + pl.col(number).cast(pl.String).str.zfill(12)
