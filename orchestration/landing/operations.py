"""Landing's own record as a source for dbt, the empty first Parquet of every table, and tidying after a killed run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from linkage.sql import ident, literal
from orchestration.landing.contract import Source
from orchestration.landing.errors import LandingError
from orchestration.landing.ledger import Ledger
from orchestration.landing.table import sync
from orchestration.landing.zones import Zones

#: Tables of the internal source `operations`, with their columns (contract: models/staging/operations).
OPERATIONS: dict[str, dict[str, str]] = {
    "delivery": {
        "load_seq": "integer",
        "source": "varchar",
        "table_name": "varchar",
        "delivery_date": "date",
        "file": "varchar",
        "status": "varchar",
        "mode": "varchar",
        "rows_in": "bigint",
        "rows_landed": "bigint",
        "rows_quarantined": "bigint",
        "n_extra_columns": "integer",
        "landed_at": "timestamp",
        "reason": "varchar",
    },
    "delivery_window": {
        "load_seq": "integer",
        "source": "varchar",
        "table_name": "varchar",
        "window": "varchar",
        "mode": "varchar",
    },
    "quarantine_summary": {
        "load_seq": "integer",
        "source": "varchar",
        "table_name": "varchar",
        "delivery_date": "date",
        "file": "varchar",
        "column_name": "varchar",
        "reason_code": "varchar",
        "reason": "varchar",
        "n_rows": "bigint",
    },
    "quality_result": {
        "run_id": "varchar",
        "stage": "varchar",
        "as_of": "date",
        "checked_at": "timestamp",
        "source": "varchar",
        "table_name": "varchar",
        "rule": "varchar",
        "severity": "varchar",
        "status": "varchar",
        "n_rows": "bigint",
        "n_failed": "bigint",
        "detail": "varchar",
    },
    "release": {
        "release_id": "varchar",
        "as_of": "date",
        "built_at": "timestamp",
        "git_commit": "varchar",
        "model_version": "varchar",
        "n_people": "bigint",
    },
    "cohort_member": {
        "release_id": "varchar",
        "as_of": "date",
        "built_at": "timestamp",
        "person_id": "uuid",
        "cohort_code": "varchar",
        "version": "varchar",
        "entered_on": "date",
        "evidence": "varchar",
    },
    "sharing_agreement": {
        "source": "varchar",
        "organisation_code": "varchar",
        "agreement_ids": "varchar",
        "party": "varchar",
        "state": "varchar",
        "is_in_force": "boolean",
        "covers_direct_care": "boolean",
        "covers_secondary_use": "boolean",
        "covers_open": "boolean",
        "is_cross_border": "boolean",
        "valid_to": "date",
        "live_from": "date",
        "reason": "varchar",
    },
    "purpose_state": {
        "purpose": "varchar",
        "is_open": "boolean",
        "reason": "varchar",
    },
}

_EXPORTS = {
    "delivery": (
        "select load_seq, source, nullif(table_name, ''), delivery_date, nullif(file, ''), status, nullif(mode, ''), rows_in, "
        "rows_landed, rows_quarantined, n_extra_columns, substr(landed_at, 1, 19), nullif(reason, '') from load order by load_seq"
    ),
    "delivery_window": (
        "select l.load_seq, l.source, l.table_name, w.window, w.mode from load l join load_window w on w.load_seq = l.load_seq "
        "where l.status = 'landed' order by l.load_seq, w.window"
    ),
    "quarantine_summary": (
        "select l.load_seq, l.source, l.table_name, l.delivery_date, l.file, nullif(b.column_name, ''), b.reason_code, b.reason, "
        "b.n_rows from load l join bad_row_count b on b.load_seq = l.load_seq "
        "order by l.load_seq, b.column_name, b.reason_code, b.reason"
    ),
}

#: Folders below raw that our own steps write; they are no loads.
_WRITTEN_BY_US = ("linkage", "operations", "codelist_library", "stratification")

_LOAD_FILE = re.compile(r"(\d{8})(?:-(\d{8}))?\.parquet")


def ensure_empty_tables(contracts: Iterable[Source], raw_dir: Path) -> None:
    """Write `00000000.parquet`, a file without rows, for every table that has none, so that dbt can read every table."""
    with _our_trouble(raw_dir), duckdb.connect() as con:
        for source in contracts:
            for table in source.tables:
                _write_empty(con, raw_dir / source.name / table.name, table.raw_columns)
        for name, columns in OPERATIONS.items():
            _write_empty(con, raw_dir / "operations" / name, columns)


def export_operations(ledger: Ledger, raw_dir: Path) -> None:
    """Write the ledger as it stands to `raw/operations/{delivery,delivery_window,quarantine_summary}`, whole and atomically."""
    with _our_trouble(raw_dir), duckdb.connect() as con:
        for name, query in _EXPORTS.items():
            _write_rows(con, raw_dir, name, ledger.rows(query))


def write_operations(raw_dir: Path, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Write one table of `OPERATIONS` whole and atomically; values in the order of its columns."""
    with _our_trouble(raw_dir), duckdb.connect() as con:
        _write_rows(con, raw_dir, name, rows)


def _write_rows(con: duckdb.DuckDBPyConnection, raw_dir: Path, name: str, rows: Sequence[tuple[object, ...]]) -> None:
    columns = OPERATIONS[name]
    arrays = list(zip(*rows, strict=True)) or [()] * len(columns)
    # everything travels as text and is cast by DuckDB, which knows the types by the same names
    text = pa.table([pa.array([None if v is None else str(v) for v in a], pa.string()) for a in arrays], list(columns))
    con.register("operations_rows", text)
    casts = ", ".join(f"cast({ident(c)} as {kind}) as {ident(c)}" for c, kind in columns.items())
    _write(con, f"select {casts} from operations_rows", raw_dir / "operations" / name / "00000001.parquet")
    con.unregister("operations_rows")


def recover(zones: Zones, ledger: Ledger) -> list[Path]:
    """Remove what killed runs left behind: temporary files, files of loads that were never committed, compacted-away files.

    Returns what was removed. Call at the start of a run, under the run lock.
    """
    removed: list[Path] = []
    landed = ledger.landed()
    folders = [p for p in zones.raw.glob("*/*") if p.parent.name not in _WRITTEN_BY_US]
    folders += [p for kind in ("identity", "local_ids", "quarantine") for p in zones.identifiable.glob(f"{kind}/*/*")]
    with _our_trouble(zones.raw):
        for folder in folders:
            files = sorted(folder.iterdir())
            spans = [(int(m[1]), int(m[2])) for p in files if (m := _LOAD_FILE.fullmatch(p.name)) and m[2]]
            for path in files:
                if path.suffix == ".tmp" or _is_leftover(path, landed, spans):
                    path.unlink()
                    removed.append(path)
    return removed


def _is_leftover(path: Path, landed: set[int], spans: list[tuple[int, int]]) -> bool:
    match = _LOAD_FILE.fullmatch(path.name)
    if not match or int(match[1]) == 0:
        return False
    first, last = int(match[1]), int(match[2] or match[1])
    is_compacted_away = any(low <= first and last <= high and (low, high) != (first, last) for low, high in spans)
    is_uncommitted = not match[2] and first not in landed
    return is_compacted_away or is_uncommitted


def _write_empty(con: duckdb.DuckDBPyConnection, folder: Path, columns: dict[str, str]) -> None:
    path = folder / "00000000.parquet"
    wanted = ", ".join(f"cast(null as {kind}) as {ident(name)}" for name, kind in columns.items())
    if path.exists() and pq.read_schema(path).names == list(columns):
        return
    _write(con, f"select {wanted} where false", path)


def _write(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    con.execute(f"copy ({query}) to {literal(temporary)} (format parquet, compression zstd)")
    sync(temporary)
    temporary.replace(path)


@contextmanager
def _our_trouble(zone: Path) -> Iterator[None]:
    """Errors of the file system become a `LandingError` that names the zone."""
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise LandingError(f"cannot write to {zone}: {error}; check free space and permissions") from error
