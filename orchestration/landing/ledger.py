"""The delivery ledger: which file of which delivery was taken in, when, and what became of it.

One SQLite file, one writer (the run lock sees to that). A load exists from the moment its row is committed here: Parquet files
without a row are leftovers of a killed run and are removed by `recover`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from orchestration.landing.errors import LandingError

#: landed: its rows are in raw. repeated: the same bytes are held already. held: waits for the rest of its delivery.
#: waiting: waits behind a gap or a held delivery. refused: cannot be used. superseded: a newer full delivery is held.
#: unknown: no contract knows the file.
Status = Literal["landed", "repeated", "held", "waiting", "refused", "superseded", "unknown"]
Mode = Literal["full", "delta"]

_SCHEMA = """
create table if not exists load (
    load_seq integer primary key autoincrement,
    source text not null,
    table_name text not null,
    delivery_date text not null,
    file text not null,
    sha256 text not null,
    batch text not null,
    header text not null,
    status text not null,
    mode text not null,
    rows_in integer not null,
    rows_landed integer not null,
    rows_quarantined integer not null,
    n_extra_columns integer not null,
    reason text not null,
    run_id text not null,
    landed_at text not null,
    check (rows_in = rows_landed + rows_quarantined)
);
create index if not exists load_of_table on load (source, table_name, sha256);
create table if not exists load_window (
    load_seq integer not null references load (load_seq),
    window text not null,
    mode text not null,
    primary key (load_seq, window)
);
create table if not exists bad_row_count (
    load_seq integer not null references load (load_seq),
    column_name text not null,
    reason_code text not null,
    reason text not null,
    n_rows integer not null,
    primary key (load_seq, column_name, reason_code, reason)
);
create table if not exists examined (
    source text not null,
    delivery_date text not null,
    fingerprint text not null,
    primary key (source, delivery_date)
);
create table if not exists chain (
    source text not null,
    chain text not null,
    reached text not null,
    primary key (source, chain)
);
"""


@dataclass(frozen=True)
class Load:
    """One row of the ledger: one file of one table in one delivery, and what became of it.

    `table_name` is '' for a file no contract knows, `file` is '' for a delivery refused before its files were told apart.
    """

    source: str
    table_name: str
    delivery_date: date
    file: str
    status: Status
    sha256: str = ""
    batch: str = ""
    header: str = ""
    mode: str = ""
    rows_in: int = 0
    rows_landed: int = 0
    rows_quarantined: int = 0
    n_extra_columns: int = 0
    reason: str = ""
    load_seq: int | None = None
    windows: dict[str, Mode] = field(default_factory=dict)
    bad_rows: Counter[tuple[str, str, str]] = field(default_factory=Counter)


class Ledger:
    """The ledger file. Every method is one transaction; all raise `LandingError` when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma foreign_keys = on")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise LandingError(f"the delivery ledger {path} cannot be used: {error}") from error

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._db.execute("begin immediate")
            yield self._db
            self._db.execute("commit")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise LandingError(f"the delivery ledger {self.path} cannot be written: {error}") from error
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("rollback")
            raise

    def next_load_seq(self) -> int:
        """The number the next load gets. Numbers are never used twice, not even those of rows that were replaced."""
        row = self._db.execute("select seq from sqlite_sequence where name = 'load'").fetchone()
        return (row[0] if row else 0) + 1

    def record(self, loads: Iterable[Load], run_id: str, *, chain: str = "", reached: str = "") -> None:
        """Record what became of the files of one batch, together with how far its chain has come, or nothing at all.

        A row that was not final before (held, waiting) or was refused is replaced by the new one for the same file.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._transaction() as db:
            for load in loads:
                self._replace_unsettled(db, load)
                cursor = db.execute(
                    "insert into load values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        load.load_seq, load.source, load.table_name, load.delivery_date.isoformat(), load.file, load.sha256,
                        load.batch, load.header, load.status, load.mode, load.rows_in, load.rows_landed, load.rows_quarantined,
                        load.n_extra_columns, load.reason, run_id, now,
                    ),
                )  # fmt: skip
                db.executemany(
                    "insert into load_window values (?, ?, ?)", [(cursor.lastrowid, w, mode) for w, mode in load.windows.items()]
                )
                db.executemany(
                    "insert into bad_row_count values (?, ?, ?, ?, ?)",
                    [(cursor.lastrowid, *reason, n_rows) for reason, n_rows in load.bad_rows.items()],
                )
                if chain and reached:
                    db.execute(
                        "insert into chain values (?, ?, ?) on conflict (source, chain) do update set reached = excluded.reached",
                        (load.source, chain, reached),
                    )

    @staticmethod
    def _replace_unsettled(db: sqlite3.Connection, load: Load) -> None:
        key = (load.source, load.table_name, load.delivery_date.isoformat(), load.file)
        stale = db.execute(
            "select load_seq from load where source = ? and table_name = ? and delivery_date = ? and file = ? "
            "and status in ('held', 'waiting', 'refused', 'unknown')",
            key,
        ).fetchall()
        for row in stale:
            for table in ("load_window", "bad_row_count", "load"):
                db.execute(f"delete from {table} where load_seq = ?", row)

    def is_settled(self, source: str, day: date, fingerprint: str) -> bool:
        """True when the delivery was examined to the end and nothing in it, nor in its contract, has changed since."""
        row = self._db.execute(
            "select 1 from examined where source = ? and delivery_date = ? and fingerprint = ?",
            (source, day.isoformat(), fingerprint),
        ).fetchone()
        return row is not None

    def settle(self, source: str, day: date, fingerprint: str) -> None:
        """Remember that a delivery was examined to the end."""
        with self._transaction() as db:
            db.execute("insert or replace into examined values (?, ?, ?)", (source, day.isoformat(), fingerprint))

    def reached(self, source: str, chain: str) -> str | None:
        """How far a chain of deliveries has come: the last processing id, or the end of the last manifest."""
        row = self._db.execute("select reached from chain where source = ? and chain = ?", (source, chain)).fetchone()
        return row[0] if row else None

    def find_in_batch(self, source: str, table: str, sha256: str, batch: str) -> str | None:
        """The delivery, as `date/file`, in which a table's file with these bytes has landed as part of this batch."""
        row = self._db.execute(
            "select delivery_date || '/' || file from load where source = ? and table_name = ? and sha256 = ? and batch = ? "
            "and status = 'landed' order by load_seq desc limit 1",
            (source, table, sha256, batch),
        ).fetchone()
        return row[0] if row else None

    def find_in_delivery(self, source: str, table: str, sha256: str, day: date, file: str) -> str | None:
        """The delivery, as `date/file`, if what has landed last under this name and date is these very bytes."""
        row = self._db.execute(
            "select sha256 from load where source = ? and table_name = ? and delivery_date = ? and file = ? "
            "and status = 'landed' order by load_seq desc limit 1",
            (source, table, day.isoformat(), file),
        ).fetchone()
        return f"{day}/{file}" if row and row[0] == sha256 else None

    def find_standing(self, source: str, table: str, sha256: str, window: str | None) -> str | None:
        """The delivery, as `date/file`, in which these bytes have landed, if no later delivery touched the same windows since.

        `window` is the one the file covers whatever its rows say: two empty files are not the same file when they empty
        different windows.
        """
        row = self._db.execute(
            "select load_seq, delivery_date, file from load where source = ? and table_name = ? and sha256 = ? "
            "and status = 'landed' and (? is null or exists ("
            "select 1 from load_window w where w.load_seq = load.load_seq and w.window = ?)) "
            "order by load_seq desc limit 1",
            (source, table, sha256, window, window),
        ).fetchone()
        if row is None:
            return None
        overtaken = self._db.execute(
            "select 1 from load_window mine join load_window w on w.window = mine.window and w.load_seq > mine.load_seq "
            "join load l on l.load_seq = w.load_seq and l.source = ? and l.table_name = ? and l.status = 'landed' "
            "where mine.load_seq = ? and l.delivery_date <> ? limit 1",
            (source, table, row[0], row[1]),
        ).fetchone()
        return None if overtaken else f"{row[1]}/{row[2]}"

    def held_since(self, source: str, table: str, window: str) -> date | None:
        """Delivery date of the full load that stands for a window: the newest by number."""
        row = self._db.execute(
            "select l.delivery_date from load l join load_window w on w.load_seq = l.load_seq "
            "where l.source = ? and l.table_name = ? and w.window = ? and w.mode = 'full' and l.status = 'landed' "
            "order by l.load_seq desc limit 1",
            (source, table, window),
        ).fetchone()
        return date.fromisoformat(row[0]) if row else None

    def latest_full_loads(self, source: str, table: str) -> dict[str, int]:
        """Number of the newest full load of each window of a table."""
        rows = self._db.execute(
            "select w.window, max(l.load_seq) from load l join load_window w on w.load_seq = l.load_seq "
            "where l.source = ? and l.table_name = ? and w.mode = 'full' and l.status = 'landed' group by w.window",
            (source, table),
        )
        return dict(rows.fetchall())

    def landed_windows(self, source: str, table: str, sha256: str) -> set[str] | None:
        """Windows that have landed from these bytes, when rows of others were kept out for want of an agreement; else None."""
        kept_out = self._db.execute(
            "select 1 from load l join bad_row_count b on b.load_seq = l.load_seq and b.reason_code = 'no_agreement' "
            "where l.source = ? and l.table_name = ? and l.sha256 = ? and l.status = 'landed'",
            (source, table, sha256),
        ).fetchone()
        if kept_out is None:
            return None
        rows = self._db.execute(
            "select distinct w.window from load l join load_window w on w.load_seq = l.load_seq "
            "where l.source = ? and l.table_name = ? and l.sha256 = ? and l.status = 'landed'",
            (source, table, sha256),
        )
        return {window for (window,) in rows}

    def seen_windows(self, source: str, table: str) -> set[str]:
        """Windows that any landed load of the table has covered."""
        rows = self._db.execute(
            "select distinct w.window from load l join load_window w on w.load_seq = l.load_seq "
            "where l.source = ? and l.table_name = ? and l.status = 'landed'",
            (source, table),
        )
        return {window for (window,) in rows}

    def is_recorded(self, load: Load) -> bool:
        """True when the ledger already says the same of this file."""
        row = self._db.execute(
            "select 1 from load where source = ? and table_name = ? and delivery_date = ? and file = ? "
            "and sha256 = ? and status = ? and reason = ?",
            (load.source, load.table_name, load.delivery_date.isoformat(), load.file, load.sha256, load.status, load.reason),
        ).fetchone()
        return row is not None

    def last_delivery(self, source: str, table: str) -> date | None:
        """The newest delivery date of which anything of the table has landed."""
        row = self._db.execute(
            "select max(delivery_date) from load where source = ? and table_name = ? and status = 'landed'", (source, table)
        ).fetchone()
        return date.fromisoformat(row[0]) if row and row[0] else None

    def landed(self, source: str | None = None) -> set[int]:
        """Numbers of the loads whose rows are in raw."""
        rows = self._db.execute(
            "select load_seq from load where status = 'landed' and (? is null or source = ?)", (source, source)
        )
        return {load_seq for (load_seq,) in rows}

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The result of a reading query, for exports and reports."""
        return self._db.execute(query).fetchall()
