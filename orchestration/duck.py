"""The night's warehouse attached for reading, and query results as files that appear whole."""

from __future__ import annotations

from pathlib import Path

import duckdb

from linkage.sql import literal
from linkage.whole_file import written_whole


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
