"""DuckDB, bounded: what it may use, and a connection that uses no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb


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
    limits.spill_dir.mkdir(parents=True, exist_ok=True)
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
