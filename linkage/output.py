"""The Parquet that the warehouse reads: written beside and renamed, so a reader meets the old snapshot or the new one."""

from __future__ import annotations

from pathlib import Path

import duckdb

#: Columns of the tables of the internal source `linkage` (its contract is in dbt's staging folder), name -> DuckDB type.
OUTPUT_COLUMNS: dict[str, dict[str, str]] = {
    "person_record": {
        "record_token": "uuid",
        "source": "varchar",
        "person_id": "uuid",
        "match_method": "varchar",
        "match_weight": "double",
        "linked_on": "date",
    },
    "linkage_metric": {"run_id": "varchar", "metric": "varchar", "source": "varchar", "value": "double"},
}


def ensure_empty_outputs(output_dir: Path) -> None:
    """Make `<table>/00000000.parquet`, empty, where it is missing, so that every table can be read before the first link."""
    with duckdb.connect() as connection:
        for table, columns in OUTPUT_COLUMNS.items():
            path = output_dir / table / "00000000.parquet"
            if not path.exists():
                nothing = ", ".join(f"null::{dtype} as {name}" for name, dtype in columns.items())
                _write(connection, f"select {nothing} where false", path)


def write_outputs(connection: duckdb.DuckDBPyConnection, output_dir: Path) -> None:
    """Write the snapshot of the attached registry to `<table>/00000001.parquet`, sorted by its key."""
    _write(
        connection,
        """
        select r.record_token, r.source, m.person_id, r.match_method, r.match_weight, m.valid_from as linked_on
        from registry.record as r
        inner join registry.membership as m on r.record_token = m.record_token and m.valid_to is null
        order by r.record_token""",
        output_dir / "person_record" / "00000001.parquet",
    )
    _write(
        connection,
        "select run_id, metric, source, value from registry.metric order by run_id, metric, source",
        output_dir / "linkage_metric" / "00000001.parquet",
    )
    ensure_empty_outputs(output_dir)


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # the name must not end in .parquet, or a reader of the folder would take the unfinished file for data
    beside = path.with_suffix(".writing")
    target = str(beside).replace("'", "''")
    connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)")
    beside.replace(path)
