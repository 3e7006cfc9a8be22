"""DuckDB, bounded: connections with the limits of the settings, and files written beside and renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage.sql import literal
from linkage.whole_file import written_whole


@dataclass(frozen=True)
class Limits:
    """What DuckDB may use: sizes in DuckDB's notation (`4GB`)."""

    memory_limit: str
    threads: int
    max_spill: str
    spill_dir: Path


@contextmanager
def connect(limits: Limits, *, keeps_order: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory connection that spills below `limits.spill_dir`; files are attached to it.

    `keeps_order` gives rows back in the order in which they were read, which costs memory.
    """
    config = {
        "memory_limit": limits.memory_limit,
        "threads": limits.threads,
        "max_temp_directory_size": limits.max_spill,
        "temp_directory": str(limits.spill_dir),
        "preserve_insertion_order": keeps_order,
    }
    with duckdb.connect(config=config) as connection:
        if keeps_order:
            # it makes a join of `x in (five or more literals)`, and a table made from a join is not in order
            connection.execute("set disabled_optimizers = 'in_clause'")
        yield connection


def attach_warehouse(connection: duckdb.DuckDBPyConnection, database: Path, name: str = "build") -> None:
    """Attach the night's warehouse, which lies at <data directory>/warehouse/, as `name`, for reading.

    Its views name the files of the raw zone from the data directory on, so that a data directory can be moved.
    """
    connection.execute(f"attach {literal(database)} as {name} (read_only)")
    connection.execute(f"set file_search_path = {literal(database.parents[1])}")


def write_parquet(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a query's rows to `path`, which appears whole or not at all."""
    with written_whole(path) as beside:
        connection.execute(f"copy ({query}) to {literal(beside)} (format parquet, compression zstd)")
