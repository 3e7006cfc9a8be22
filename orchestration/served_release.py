"""A quick look at the release being served: ask it in SQL, open its front page."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow.csv
import pyarrow.parquet

from linkage.duck import connect
from linkage.sql import ident, literal
from linkage.whole_file import written_whole
from orchestration.publishing.release import ReleaseError, find_release
from orchestration.settings import Settings
from orchestration.sheet import harmless_sql

TABLE, CSV, PARQUET = "table", "csv", "parquet"
FORMATS = (TABLE, CSV, PARQUET)
#: Types that a cell of a CSV file holds as text.
_NESTED = {"list", "array", "struct", "map", "union"}
_BATCH_ROWS = 100_000


def served_part(settings: Settings, purpose: str) -> Path:
    """The folder of one purpose of the release being served.

    Raises `ReleaseError` when there is no release, no such purpose, or nothing for it.
    """
    return find_release(settings.releases_dir).part(purpose)


def answer(settings: Settings, sql: str, purpose: str, form: str | None, output: Path | None, width: int) -> None:
    """Run a query on the release and give its rows to `output`, or to standard output.

    `form` is one of `FORMATS`; without it the ending of `output` says, and a table is drawn on the screen, `width` characters
    wide. The query reads the release and nothing else: no file, no other database, no setting. In CSV a text that a spreadsheet
    would run is made harmless.

    Raises `ReleaseError` when the query cannot be answered, or not in that form.
    """
    form = form or (output.suffix.lower().removeprefix(".") if output else TABLE)
    if form not in FORMATS:
        raise ReleaseError(f"There is no format {form!r}; the formats are {', '.join(FORMATS)}.")
    if form == TABLE and output:
        raise ReleaseError("A table is for the screen: name a file that ends in .csv or .parquet, or give --format.")
    database = served_part(settings, purpose) / f"{purpose}.duckdb"
    with _asking(settings, database) as connection:
        rows = connection.sql(sql)
        if rows is None:
            raise ReleaseError("That is not a query: nothing came of it.")
        if form == TABLE:
            rows.show(max_width=width)
        elif output:
            with written_whole(output) as beside, beside.open("wb") as file:
                _write(rows, form, file)
        else:
            _write(rows, form, sys.stdout.buffer)


def front_page(settings: Settings, purpose: str) -> Path:
    """The page to begin with. Raises `ReleaseError` as `served_part` does."""
    return served_part(settings, purpose) / "site" / "index.html"


def show_page(page: Path) -> bool:
    """Open a page in the browser of this desktop. False where there is none: a browser inside the terminal is not started."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return type(browser) is not webbrowser.GenericBrowser and browser.open(page.resolve().as_uri())


@contextmanager
def _asking(settings: Settings, database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with connect(settings.limits, keeps_order=True) as connection:
            connection.execute(f"attach {literal(database)} as release (read_only)")
            connection.execute("use release.marts")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection
    except duckdb.Error as error:
        raise ReleaseError(f"The query cannot be answered: {error}") from error


def _write(rows: duckdb.DuckDBPyRelation, form: str, sink: BinaryIO) -> None:
    if form == CSV:
        rows = rows.project(", ".join(map(_cell, rows.columns, rows.types)))
    batches = rows.to_arrow_reader(_BATCH_ROWS)
    with (
        pyarrow.csv.CSVWriter(sink, batches.schema, write_options=pyarrow.csv.WriteOptions(quoting_style="needed"))
        if form == CSV
        else pyarrow.parquet.ParquetWriter(sink, batches.schema, compression="zstd")
    ) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _cell(name: str, data_type: duckdb.sqltypes.DuckDBPyType) -> str:
    column = ident(name)
    if data_type.id in _NESTED:
        column = f"cast({column} as varchar)"
    return f"{harmless_sql(column)} as {ident(name)}" if data_type.id in {"varchar", *_NESTED} else column
