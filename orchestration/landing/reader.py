"""A supplier's file as a relation of text columns, each record with the physical line it begins on.

Clean CSV is read by DuckDB, set-based and in parallel. DuckDB does not promise to notice everything, so its reading is
believed only when the lines add up: header + records + line ends inside quotes + single rejected lines = physical lines.
Otherwise, or when DuckDB fails, the file is read again record by record (`sieve`). Both ways give the same rows for a
well-formed file.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb

from linkage.sql import ident, literal
from orchestration.landing.contract import FileFormat, Table
from orchestration.landing.intake import Intake
from orchestration.landing.layout import MAX_RECORD_BYTES, Layout
from orchestration.landing.sieve import Malformed, Sieved, readable, sieve

_REJECTS = "landing_reject_errors"
_REJECT_SCANS = "landing_reject_scans"
_SHIFTS = "landing_line_shifts"
#: Line ends inside a record; NULL for most.
_INNER_LINES = "_inner_lines"
#: Records that share one row of the shift table.
_BUCKET_BITS = 11
_BLOCK_BYTES = 1 << 22

#: Rejections that concern one line only; after any other DuckDB may have lost its place.
_LOCAL_REJECTS = {"MISSING COLUMNS": "ragged_row", "TOO MANY COLUMNS": "ragged_row", "INVALID ENCODING": "invalid_encoding"}


class TextRows(Protocol):
    """Text columns of a file. Once the rows of `relation` are in a table, in order, `settle` says whether to believe them."""

    #: SQL of a relation; its columns are contract column names, and `carried`.
    relation: str
    #: Contract columns the relation has.
    present: frozenset[str]
    #: Columns that the table of the rows must have besides: they tell the lines.
    carried: tuple[str, ...]
    malformed: list[Malformed]
    #: The last physical line of the file is malformed.
    ends_malformed: bool

    def begin(self, con: duckdb.DuckDBPyConnection, /) -> None:
        """Make ready for one query on `relation`."""
        ...

    def settle(self, con: duckdb.DuckDBPyConnection, table: str, n_records: int, /) -> bool: ...

    def line_sql(self, table: str) -> tuple[str, str]:
        """(expression for the physical line, join clause) for a query on `table`, which holds the rows in order."""
        ...


@dataclass
class FastRows:
    """CSV read by DuckDB."""

    intake: Intake
    form: FileFormat
    layout: Layout
    malformed: list[Malformed] = field(default_factory=list)
    ends_malformed: bool = False
    carried: tuple[str, ...] = (_INNER_LINES,)
    _breaks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def present(self) -> frozenset[str]:
        return self.layout.present

    @property
    def _names(self) -> list[str]:
        return [name or f"_field_{place}" for place, name in enumerate(self.layout.fields)]

    @property
    def relation(self) -> str:
        columns = ", ".join(f"{literal(name)}: 'varchar'" for name in self._names)
        names = [ident(name) for name in self._names]
        text = f"concat({', '.join(names)})"
        spans = " or ".join(f"contains({name}, chr(10))" for name in names)
        return (
            f"(select *, case when {spans} then length({text}) - length(replace({text}, chr(10), '')) end as {_INNER_LINES} "
            f"from read_csv({literal(self.intake.path)}, auto_detect = false, header = false, skip = {self.layout.header_lines}, "
            f"delim = {literal(self.form.delimiter)}, quote = {literal(self.form.quote)}, escape = {literal(self.form.quote)}, "
            f"strict_mode = true, null_padding = false, max_line_size = {MAX_RECORD_BYTES}, columns = {{{columns}}}, "
            f"store_rejects = true, rejects_limit = 0, rejects_table = '{_REJECTS}', rejects_scan = '{_REJECT_SCANS}'))"
        )

    @property
    def can_try(self) -> bool:
        """False for what DuckDB is known to read in its own way."""
        return self.layout.header_lines <= 1 and not self.intake.has_blank_line and not self.intake.has_lone_cr

    def begin(self, con: duckdb.DuckDBPyConnection) -> None:
        """Forget the rejections of the scan before."""
        con.execute(f"drop table if exists {_REJECTS}")
        con.execute(f"drop table if exists {_REJECT_SCANS}")

    def settle(self, con: duckdb.DuckDBPyConnection, table: str, n_records: int) -> bool:
        """True when records and rejections account for every physical line; then `malformed` and lines are known."""
        rejects = self._rejected_lines(con)
        if rejects is None:
            return False
        spare = self.intake.n_lines - self.layout.header_lines - len(rejects) - n_records
        if spare < 0:
            return False
        spans = _spanning_records(con, table) if spare else []
        if sum(extra for _, extra in spans) != spare:
            return False
        self.malformed = [Malformed(line, code, text) for line, code, text in rejects]
        self.ends_malformed = bool(rejects) and rejects[-1][0] == self.intake.n_lines
        self._breaks = _line_breaks(spans, [line for line, *_ in rejects], self.layout.header_lines)
        self._install_shifts(con, n_records)
        return True

    def _rejected_lines(self, con: duckdb.DuckDBPyConnection) -> list[tuple[int, str, str]] | None:
        """(line, reason code, text) of each rejected line in order; None when one is not a single whole line."""
        rows = con.execute(
            "select line_byte_position, any_value(error_type order by column_idx), coalesce(any_value(csv_line), ''), "
            f"list(distinct error_type) from {_REJECTS} group by line_byte_position order by line_byte_position"
        ).fetchall()
        starts = []
        for position, error, text, errors in rows:
            # in a CRLF file the position may be that of the LF before the line
            start = position - 1 + (len(text) - len(text.lstrip("\r\n")))
            if set(errors) - _LOCAL_REJECTS.keys() or "\n" in text.strip("\r\n"):
                return None
            starts.append((start, _LOCAL_REJECTS[error]))
        return _lines_at(self.intake.path, starts, has_bom=self.intake.has_bom)

    def line_sql(self, table: str) -> tuple[str, str]:
        base = f"{table}.rowid + {self.layout.header_lines + 1}"
        if not self._breaks:
            return base, ""
        within = (
            f"coalesce(list_sum(list_transform(list_filter({_SHIFTS}.breaks, "
            f"lambda b: b.ordinal <= {table}.rowid), lambda b: b.shift)), 0)"
        )
        return (
            f"{base} + {_SHIFTS}.before + {within}",
            f"inner join {_SHIFTS} on {_SHIFTS}.bucket = {table}.rowid >> {_BUCKET_BITS}",
        )

    def _install_shifts(self, con: duckdb.DuckDBPyConnection, n_records: int) -> None:
        """For every bucket of records: the shift before it, and the breaks inside it. A query then needs no order of rows."""
        if not self._breaks:
            return
        ordinals, shifts = zip(*self._breaks, strict=True)
        con.execute(
            f"""
            create or replace temp table {_SHIFTS} as
            with line_break as (
                select unnest($1::bigint[]) as ordinal, unnest($2::bigint[]) as shift
            ),
            bucket_break as (
                select
                    ordinal >> {_BUCKET_BITS} as bucket
                    , list({{ordinal: ordinal, shift: shift}}) as breaks
                    , sum(shift) as shift
                from line_break
                group by 1
            )
            select
                range.range as bucket
                , coalesce(sum(bucket_break.shift) over (
                    order by range.range rows between unbounded preceding and 1 preceding
                ), 0)::bigint as before
                , bucket_break.breaks
            from range(($3::bigint >> {_BUCKET_BITS}) + 1)
            left join bucket_break on bucket_break.bucket = range.range
            """,
            [list(ordinals), list(shifts), n_records],
        )


@dataclass
class SievedRows:
    """Rows that were read one by one, in a Parquet file with their lines."""

    sieved: Sieved
    present: frozenset[str]
    carried: tuple[str, ...] = ("_line",)

    @property
    def relation(self) -> str:
        return f"read_parquet({literal(self.sieved.path)})"

    @property
    def malformed(self) -> list[Malformed]:
        return self.sieved.malformed

    @property
    def ends_malformed(self) -> bool:
        return self.sieved.ends_malformed

    def begin(self, _con: duckdb.DuckDBPyConnection) -> None:
        """Nothing to forget: the file was made for this reading."""

    def settle(self, _con: duckdb.DuckDBPyConnection, _table: str, n_records: int) -> bool:
        return n_records == self.sieved.n_records

    def line_sql(self, table: str) -> tuple[str, str]:
        return f"{table}._line", ""


def read_carefully(table: Table, intake: Intake, layout: Layout, scratch: Path) -> SievedRows:
    """The careful way for a CSV file."""
    return SievedRows(sieve(intake.path, table.terms.format, layout, scratch), layout.present)


def _spanning_records(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, int]]:
    """(ordinal from 0, line ends inside) of records that take more than one line."""
    return con.execute(f"select rowid, {_INNER_LINES} from {table} where {_INNER_LINES} is not null order by rowid").fetchall()


def _lines_at(path: Path, starts: list[tuple[int, str]], *, has_bom: bool) -> list[tuple[int, str, str]] | None:
    """Turn byte offsets of line starts into physical lines with their text; None when an offset is not a line start."""
    found: list[tuple[int, str, str]] = []
    if not starts:
        return found
    line, offset = 1, 0
    with path.open("rb") as file:
        for start, code in starts:
            while offset < start:
                block = file.read(min(_BLOCK_BYTES, start - offset))
                if not block:
                    return None
                line += block.count(b"\n")
                offset += len(block)
                if offset == start and not block.endswith(b"\n") and not (has_bom and start == 3):
                    return None
            text = file.readline(MAX_RECORD_BYTES)
            offset += len(text)
            found.append((line, code, readable(text)))
            line += text.endswith(b"\n")
    return found


def _line_breaks(spans: list[tuple[int, int]], rejected: list[int], header_lines: int) -> list[tuple[int, int]]:
    """(ordinal, shift): from this record on, the physical line is `shift` more ahead of the record number than before.

    `spans`: records with line ends inside; the next record is shifted. `rejected`: single lines between records.
    """
    shifts: dict[int, int] = {}
    ends: list[int] = []  # lines taken by all records up to and including each spanning one
    total = 0
    for ordinal, extra in spans:
        total += extra
        ends.append(ordinal + 1 + total)
        shifts[ordinal + 1] = shifts.get(ordinal + 1, 0) + extra
    totals = [0]
    for _, extra in spans:
        totals.append(totals[-1] + extra)
    for index, line in enumerate(rejected):
        taken = line - 1 - header_lines - index  # lines of good records before this one
        ordinal = taken - totals[bisect.bisect_right(ends, taken)]
        shifts[ordinal] = shifts.get(ordinal, 0) + 1
    return sorted(shifts.items())
