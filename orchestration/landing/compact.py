"""Merge the many small raw files of a table into one, without what replay no longer needs.

Every night adds a file per table; a year of nights would make each scan open hundreds. Compaction keeps `_load_seq` and every
other column of a row, and drops only versions that can never again be a key's current row: those behind a live version of the
same key in the same window. Deletes in front of it stay, because a staging model may declare a delete void.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage.duck import Limits, connect
from linkage.sql import ident, literal, literals
from orchestration.landing.contract import Table
from orchestration.landing.errors import LandingError
from orchestration.landing.ledger import Ledger
from orchestration.landing.table import sync

_FILE = re.compile(r"(\d{8})(?:-(\d{8}))?\.parquet")


@dataclass(frozen=True)
class Compaction:
    """What compacting one table did."""

    file: Path
    n_files_before: int
    rows_before: int
    rows_after: int


def compact_table(table: Table, *, raw_dir: Path, ledger: Ledger, below: int, limits: Limits) -> Compaction | None:
    """Merge the raw files of loads numbered under `below` into `<first>-<last>.parquet`; None when there are fewer than two.

    `below` must not exceed the loads that every staging model has seen. Killed before the rename it leaves a temporary file,
    killed after it the merged files beside the new one; `operations.recover` removes both.
    Raises `LandingError` when the files cannot be written.
    """
    folder = raw_dir / table.source / table.name
    files = [
        (int(match[1]), int(match[2] or match[1]), path)
        for path in sorted(folder.glob("*.parquet"))
        if (match := _FILE.fullmatch(path.name)) and int(match[1]) > 0 and int(match[2] or match[1]) < below
    ]
    if len(files) < 2:
        return None
    target = folder / f"{min(f for f, _, _ in files):08d}-{max(last for _, last, _ in files):08d}.parquet"
    temporary = target.with_name(target.name + ".tmp")
    scan = f"read_parquet([{literals(str(path) for _, _, path in files)}], union_by_name = true)"
    try:
        with connect(limits, keeps_order=True) as con:
            (rows_before,) = con.execute(f"select count(*) from {scan}").fetchone() or (0,)
            query = f"select * from {scan}" if table.terms.keep_history else _needed_rows(table, scan, ledger)
            order = "order by record_token" if table.has_records else ""
            (rows_after,) = con.execute(
                f"copy ({query} {order}) to {literal(temporary)} (format parquet, compression zstd, row_group_size 122880)"
            ).fetchone() or (0,)
        sync(temporary)
        temporary.replace(target)
        sync(folder)
        for _, _, path in files:
            path.unlink()
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise LandingError(f"cannot compact {folder}: {error}; check free space, permissions and the memory limit") from error
    return Compaction(target, len(files), rows_before, rows_after)


def _needed_rows(table: Table, scan: str, ledger: Ledger) -> str:
    """Rows that `current_rows` could still choose, in the order in which that macro ranks the versions of a key."""
    key = ", ".join(ident(name) for name in table.raw_key)
    newest_first = [f"{ident(name)} desc nulls last" for name in table.terms.order_by]
    newest_first += ["_load_seq desc", "_line desc nulls last"]
    full_loads = ledger.latest_full_loads(table.source, table.name)
    values = ", ".join(f"({literal(window)}, {load_seq})" for window, load_seq in full_loads.items()) or "(null, null)"
    return f"""
        with full_load (full_window, full_seq) as (
            values {values}
        ),
        version as (
            select
                stored.*
                , hash({key}) as key_hash
                , coalesce(stored._load_seq >= full_load.full_seq, true) as is_standing
            from {scan} as stored
            left join full_load on full_load.full_window = stored._window
        ),
        contested as (
            select key_hash from version group by key_hash having count(*) > 1
        ),
        ranked as (
            select
                version.*
                , coalesce(count(*) filter (not _is_deleted) over (
                    partition by {key}, _window
                    order by is_standing desc, {", ".join(newest_first)}
                    rows between unbounded preceding and 1 preceding
                ), 0) as n_live_before
            from version
            where key_hash in (select key_hash from contested)
        )
        select * exclude (key_hash, is_standing) from version where key_hash not in (select key_hash from contested)
        union all
        select * exclude (key_hash, is_standing, n_live_before) from ranked where n_live_before = 0
        """
