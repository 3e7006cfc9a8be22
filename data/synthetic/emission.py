"""What a supplier module hands back, and the few tools every supplier needs to write files.

A supplier module `synthetic.suppliers.<source>` has: `SOURCE`, `PACKAGING` (how its files leave the building), and

* `emit(chunk, place, deliveries, rng) -> Emission`: the rows of one chunk of people, for every delivery;
* `emit_once(place, deliveries, rng) -> Emission`: files that do not depend on people (code dictionaries, organisations,
  manifests).

Both are pure functions of their arguments: the same seed gives the same bytes, whatever the chunk order.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from synthetic.world_schema import Delivery, Fault, Part

#: Who a supplier's record really is; `local_id` is the record_id columns of the contract joined with '|'.
RECORD_TRUTH = {"source": pl.String, "local_id": pl.String, "person_no": pl.Int64}


@dataclass
class Emission:
    """Rows for files, who each record really is (columns of `RECORD_TRUTH`), and the dirt that was planted."""

    parts: list[Part] = field(default_factory=list)
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RECORD_TRUTH))
    faults: list[Fault] = field(default_factory=list)

    def add(self, delivery: Delivery, source: str, file: str, frame: pl.DataFrame, **options: bool | str) -> None:
        """Add `frame` as CSV rows of `file`; an empty frame still makes the file (header only). See `csv_part`."""
        self.parts.append(csv_part(delivery, source, file, frame, **options))


def csv_part(
    delivery: Delivery,
    source: str,
    file: str,
    frame: pl.DataFrame,
    *,
    header: bool = True,
    quote_all: bool = False,
    header_line: str | None = None,
) -> Part:
    """One part of a CSV file from a frame whose column names are the supplier's headers and whose values are final.

    `header_line` replaces the generated header (for repeated header names).
    """
    body = io.BytesIO()
    frame.write_csv(body, include_header=False, quote_style="always" if quote_all else "necessary", null_value="")
    line = b""
    if header:
        quote = '"' if quote_all else ""
        text = header_line or ",".join(f"{quote}{name}{quote}" for name in frame.columns)
        line = (text + "\n").encode()
    return Part(delivery.index, source, file, line, body.getvalue())


def due(frame: pl.DataFrame, delivery: Delivery, column: str = "recorded_on") -> pl.DataFrame:
    """Rows that this delivery brings: recorded on or before its date, and after the previous delivery's."""
    keep = pl.col(column) <= delivery.date
    if delivery.previous is not None:
        keep &= pl.col(column) > delivery.previous
    return frame.filter(keep)


def known(frame: pl.DataFrame, delivery: Delivery, column: str = "recorded_on") -> pl.DataFrame:
    """Rows that a full (cumulative) delivery holds: everything recorded on or before its date."""
    return frame.filter(pl.col(column) <= delivery.date)


def fault(delivery: Delivery, source: str, file: str, identities: Iterable[str], kind: str, expected: str) -> list[Fault]:
    """The same planted fault for several rows."""
    return [Fault(delivery.index, source, file, identity, kind, expected) for identity in identities]
