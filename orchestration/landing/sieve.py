"""The careful way of reading: record by record, for files that are not clean enough to be read set-based.

Well-formed records go to a Parquet file of text columns with the physical line each began on; malformed ones are set aside with
their line, their text and the reason. One malformed record never costs the next: after an unclosed quote reading starts again on
the following line.
"""

from __future__ import annotations

import csv
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.landing.contract import FileFormat
from orchestration.landing.layout import MAX_RECORD_BYTES, Layout

#: How many lines a quoted field may span before its quote counts as unclosed.
MAX_RECORD_LINES = 200
_BATCH_ROWS = 50_000
_MAX_TEXT = 4_000


@dataclass(frozen=True)
class Malformed:
    """A record that has no columns: where it is, why (a key of `quarantine.REASONS`) and its text."""

    line: int
    reason_code: str
    text: str


@dataclass(frozen=True)
class Sieved:
    """What the careful way made of a file: `path` holds `_line` and one text column per contract column of the layout."""

    path: Path
    n_records: int
    malformed: list[Malformed]
    #: The last physical line is malformed: with no line end after it, the file was cut short.
    ends_malformed: bool


class TextWriter:
    """Streams rows of (line, text values) into a Parquet file of text columns."""

    def __init__(self, path: Path, columns: list[str]) -> None:
        self._schema = pa.schema([("_line", pa.int64()), *((name, pa.string()) for name in columns)])
        self._writer = pq.ParquetWriter(path, self._schema, compression="lz4")
        self._rows: list[list[int | str | None]] = []
        self.n_rows = 0

    def add(self, row: list[int | str | None]) -> None:
        self._rows.append(row)
        self.n_rows += 1
        if len(self._rows) >= _BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._schema)
        self._writer.write_table(
            pa.table([pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)], self._schema)
        )
        self._rows.clear()

    def close(self) -> None:
        self._flush()
        self._writer.close()


def sieve(path: Path, form: FileFormat, layout: Layout, out: Path) -> Sieved:
    """Read a UTF-8 CSV file record by record."""
    kept = [(place, name) for place, name in enumerate(layout.fields) if name]
    writer = TextWriter(out, [name for _, name in kept])
    malformed: list[Malformed] = []
    last_line = 0
    with path.open("rb") as file:
        records = _Records(file, form, len(layout.fields), layout.header_lines)
        for line, record in records:
            if isinstance(record, Malformed):
                malformed.append(record)
            else:
                writer.add([line, *(record[place] for place, _ in kept)])
            last_line = line
    writer.close()
    ends_malformed = bool(malformed) and malformed[-1].line == last_line
    return Sieved(out, writer.n_rows, malformed, ends_malformed)


class _Records:
    """Records of a file with the physical line each begins on: a list of fields, or a `Malformed`. A blank line is no record."""

    def __init__(self, file: BinaryIO, form: FileFormat, width: int, header_lines: int) -> None:
        self._form, self._width = form, width
        self._source = itertools.islice(_physical_lines(file), header_lines, None)
        self._number = header_lines + 1  # of the first line in the buffer
        self._buffer: deque[bytes] = deque()
        self._quote, self._delimiter = form.quote.encode(), form.delimiter.encode()

    def __iter__(self) -> Iterator[tuple[int, list[str] | Malformed]]:
        while (line := self._peek(0)) is not None:
            used, record = 1, None
            if line.rstrip(b"\r\n"):
                used, record = self._record(line)
            if record is not None:
                yield self._number, record
            for _ in range(used):
                self._buffer.popleft()
            self._number += used

    def _peek(self, ahead: int) -> bytes | None:
        while len(self._buffer) <= ahead:
            line = next(self._source, None)
            if line is None:
                return None
            self._buffer.append(line)
        return self._buffer[ahead]

    def _record(self, line: bytes) -> tuple[int, list[str] | Malformed]:
        """How many physical lines the record takes, and the record."""
        if len(line) > MAX_RECORD_BYTES:
            return 1, self._malformed("too_long", line)
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            return 1, self._malformed("invalid_encoding", line)
        if self._quote not in line and "\r" not in text.rstrip("\r\n"):
            fields, used = text.rstrip("\r\n").split(self._form.delimiter), 1
        else:
            fields, used = self._quoted_record()
            if isinstance(fields, str):
                return 1, self._malformed(fields, line)
        if len(fields) >= self._width and not any(fields[self._width :]):
            return used, fields[: self._width]  # delimiters at the end of a row hold nothing
        if used > 1:  # a quote that closes on a later line and gives a wrong count was never meant to be open
            return 1, self._malformed("unclosed_quote", line)
        return 1, self._malformed("ragged_row", line)

    def _quoted_record(self) -> tuple[list[str] | str, int]:
        """Fields and lines used; a reason code in place of the fields when the quotes do not hold together."""
        used = 0

        def pull() -> Iterator[str]:
            nonlocal used
            while used < MAX_RECORD_LINES and (line := self._peek(used)) is not None:
                used += 1
                yield line.decode("utf-8")

        reader = csv.reader(
            pull(), delimiter=self._form.delimiter, quotechar=self._form.quote, strict=True, skipinitialspace=True
        )
        try:
            return next(reader), used
        except UnicodeDecodeError:
            return "unclosed_quote", 1
        except StopIteration:
            return "unclosed_quote", 1
        except csv.Error as error:
            is_stray = used == 1 and "unexpected end" not in str(error)
            return "stray_quote" if is_stray else "unclosed_quote", 1

    def _malformed(self, code: str, line: bytes) -> Malformed:
        return Malformed(self._number, code, readable(line))


def readable(line: bytes) -> str:
    """The text of a malformed line, other bytes written as escapes, no longer than a quarantine row may be."""
    return line[:_MAX_TEXT].decode("utf-8", "backslashreplace").rstrip("\r\n").removeprefix("\ufeff")


def _physical_lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends; of a line that is too long only the beginning is kept."""
    while line := file.readline(MAX_RECORD_BYTES + 2):
        rest = line
        while not rest.endswith(b"\n") and len(rest) > MAX_RECORD_BYTES + 1:
            rest = file.readline(MAX_RECORD_BYTES + 2)
        yield line
