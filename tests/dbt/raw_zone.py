"""A tiny raw zone written from the contracts: every table of every source, by load, with values that join across tables."""

from __future__ import annotations

import random
import uuid
import zlib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from orchestration.landing.contract import RAW_COLUMNS, Source, Table, read_contracts

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"
STAGING = PROJECT / "models" / "staging"

ARROW = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "ubigint": pa.uint64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "uuid": pa.uuid(),
}

#: Records of the tiny place; the same token stands for a patient in whatever table names one.
TOKENS = [uuid.UUID(int=n).bytes for n in range(1, 13)]
N_ROWS = 10

#: Columns that hold clinical codes, by a word of their name, with codes that registers know.
CODES = {
    "snomed": ["44054006", "315051004", "59621000", "60621009", "52448006", "195967001", "827241000000103"],
    "diagnosis": ["E119", "F03", "I10", "J449"],
}


def contracts() -> dict[str, Source]:
    return read_contracts(STAGING)


def write_table(path: Path, columns: dict[str, str], rows: list[dict[str, Any]]) -> None:
    """Write rows as one Parquet file of a raw table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = []
    for name, kind in columns.items():
        arrays.append(pa.array([row.get(name) for row in rows], pa.binary(16) if kind == "uuid" else ARROW[kind]))
    arrays = [a.cast(pa.uuid()) if columns[n] == "uuid" else a for a, n in zip(arrays, columns, strict=True)]
    pq.write_table(pa.table(arrays, names=list(columns)), path)


def write_empty(raw_dir: Path) -> None:
    """Every raw table without rows, so that every model can be built."""
    for source in contracts().values():
        for table in source.tables:
            write_table(raw_dir / source.name / table.name / "00000000.parquet", table.raw_columns, [])
    for name in ("linkage", "operations", "codelist_library", "stratification"):
        for table, columns in internal_columns(name).items():
            write_table(raw_dir / name / table / "00000000.parquet", columns, [])
    write_everything_open(raw_dir)


def write_everything_open(raw_dir: Path) -> None:
    """Every source under an agreement in force, every purpose open."""
    covers = {"is_in_force": True, "covers_direct_care": True, "covers_secondary_use": True, "covers_open": True}
    agreements = [
        {"source": s, "organisation_code": "*", "state": "in_force", "is_cross_border": False} | covers for s in contracts()
    ]
    states = [
        {"purpose": purpose, "is_open": True} for purpose in ("direct_care", "secondary_use", "open", "risk_stratification")
    ]
    for table, rows in {"sharing_agreement": agreements, "purpose_state": states}.items():
        columns = internal_columns("operations")[table]
        write_table(raw_dir / "operations" / table / "00000001.parquet", columns, rows)


def internal_columns(source: str) -> dict[str, dict[str, str]]:
    """Columns of the tables that our own steps write: table -> column -> type."""
    document = yaml.safe_load((STAGING / source / f"_{source}__sources.yml").read_text(encoding="utf-8"))
    return {t["name"]: {c["name"]: c["data_type"] for c in t["columns"]} for t in document["sources"][0]["tables"]}


def write_load(raw_dir: Path, load: int, seed: int = 7) -> None:
    """One load of every table. Load 1 is a bulk; later loads change, delete and add keys, or replace, as the contract says."""
    deliveries: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    tables = [table for source in contracts().values() for table in source.tables]
    for number, table in enumerate(tables, start=1):
        load_seq = (load - 1) * len(tables) + number
        mode = "full" if load == 1 or table.terms.mode == "full" else "delta"
        rows = _random_rows(table, random.Random(f"{seed}|{load}|{table.source}|{table.name}"), load_seq, load)
        write_table(raw_dir / table.source / table.name / f"{load_seq:08d}.parquet", table.raw_columns, rows)
        facts = {"load_seq": load_seq, "source": table.source, "table_name": table.name, "mode": mode}
        deliveries.append(facts | {"delivery_date": _delivery_date(load), "status": "landed"})
        windows.append(facts | {"window": "all"})
    operations = internal_columns("operations")
    write_table(raw_dir / "operations" / "delivery" / f"{load:08d}.parquet", operations["delivery"], deliveries)
    write_table(raw_dir / "operations" / "delivery_window" / f"{load:08d}.parquet", operations["delivery_window"], windows)


def write_index(raw_dir: Path) -> None:
    """Two records make one person."""
    sources = sorted(contracts())
    rows = [
        {
            "record_token": token,
            "source": sources[n % len(sources)],
            "person_id": uuid.UUID(int=1000 + n // 2).bytes,
            "match_method": "nhs_number",
            "linked_on": date(2025, 1, 1),
        }
        for n, token in enumerate(TOKENS)
    ]
    write_table(raw_dir / "linkage" / "person_record" / "00000000.parquet", internal_columns("linkage")["person_record"], rows)


def reverse_rows(raw_dir: Path) -> None:
    """Turn the order of the rows of every file round: a table has none, and nothing may hang on it."""
    for path in raw_dir.glob("*/*/*.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.take(pa.array(range(len(table) - 1, -1, -1), pa.int64())), path)


def _delivery_date(load: int) -> date:
    return date(2025, 4, 1) + timedelta(days=load)


def _random_rows(table: Table, rng: random.Random, load_seq: int, load: int) -> list[dict[str, Any]]:
    rows: dict[tuple, dict[str, Any]] = {}
    for line in range(1, N_ROWS + 1):
        row = {name: _value(table, name, kind, rng) for name, kind in table.raw_columns.items() if name not in RAW_COLUMNS}
        content = tuple(row.values())
        row |= {
            "_load_seq": load_seq,
            "_delivery_date": _delivery_date(load),
            "_window": "all",
            "_line": line,
            "_row_hash": zlib.crc32(repr(content).encode()),
            "_is_deleted": load > 1 and table.terms.deleted is not None and rng.random() < 0.3,
        }
        rows[tuple(row[name] for name in table.raw_key)] = row
    return list(rows.values())


def _value(table: Table, name: str, kind: str, rng: random.Random) -> Any:
    if kind == "uuid":
        return rng.choice(TOKENS)
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "date":
        return date(2024, 1, 1) + timedelta(days=rng.randrange(4))
    if kind == "timestamp":
        return datetime(2024, 1, 1) + timedelta(hours=rng.randrange(72))
    if kind == "double":
        return float(rng.randrange(1, 40))
    if kind in ("integer", "bigint"):
        return int(rng.choice(CODES["snomed"])) if "snomed" in name else rng.randrange(1, 6)
    published = next((column.terms.values for column in table.columns if column.name == name), [])
    codes = next((codes for word, codes in CODES.items() if word in name), [])
    return rng.choice(published or codes or ["1", "2", "3", "4", "5"])
