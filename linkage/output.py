"""The Parquet that the warehouse reads: written beside and renamed, so a reader meets the old snapshot or the new one."""

from __future__ import annotations

from pathlib import Path

import duckdb

from linkage.sql import literal
from linkage.whole_file import written_whole

#: Columns of the tables of the internal source `linkage` (its contract is in dbt's staging folder), name -> DuckDB type.
OUTPUT_COLUMNS: dict[str, dict[str, str]] = {
    "person_record": {
        "record_token": "uuid",
        "source": "varchar",
        "person_id": "uuid",
        "match_method": "varchar",
        "match_weight": "double",
        "linked_on": "date",
        "is_person_changed": "boolean",
        "is_in_review": "boolean",
        "has_number": "boolean",
        "is_register": "boolean",
        "name_structure": "varchar",
        "birth_date_state": "varchar",
        "postcode_state": "varchar",
        "is_unlinkable": "boolean",
        "withheld_outcome": "varchar",
    },
    "linkage_metric": {
        "run_id": "varchar",
        "metric": "varchar",
        "source": "varchar",
        "value": "double",
        "as_of": "date",
        "is_latest": "boolean",
    },
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
        with last_run as (
            select max_by(run_id, finished_at) as run_id from registry.run
        ),

        -- a record that belonged to somebody before and was given to another person by this run
        moved as (
            select now.record_token
            from registry.membership as now
            inner join last_run on now.run_id = last_run.run_id
            where
                now.valid_to is null
                and exists (
                    select 1 from registry.membership as before
                    where
                        before.record_token = now.record_token and before.valid_to is not null
                        and before.person_id <> now.person_id
                )
        ),

        asked as (
            select left_token as rep_token from registry.review where status = 'open' and reason not like 'sample%'
            union
            select right_token from registry.review where status = 'open' and reason not like 'sample%'
        )

        select
            r.record_token, r.source, m.person_id, r.match_method, r.match_weight, m.valid_from as linked_on,
            moved.record_token is not null as is_person_changed,
            asked.rep_token is not null as is_in_review,
            f.has_number, f.is_register, f.name_structure, f.birth_date_state, f.postcode_state, f.is_unlinkable,
            f.withheld_outcome
        from registry.record as r
        inner join registry.membership as m on r.record_token = m.record_token and m.valid_to is null
        left join registry.record_fact as f on r.record_token = f.record_token
        left join moved on r.record_token = moved.record_token
        left join asked on r.rep_token = asked.rep_token
        order by r.record_token""",
        output_dir / "person_record" / "00000001.parquet",
    )
    _write(
        connection,
        """
        with measured as (
            select run.*, run.finished_at = max(run.finished_at) over () as is_latest
            from registry.run as run
            where not run.is_unchanged
        )

        select m.run_id, m.metric, m.source, m.value, measured.as_of, measured.is_latest
        from registry.metric as m
        inner join measured on m.run_id = measured.run_id
        order by m.run_id, m.metric, m.source""",
        output_dir / "linkage_metric" / "00000001.parquet",
    )
    ensure_empty_outputs(output_dir)


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    with written_whole(path) as beside:
        connection.execute(f"copy ({query}) to {literal(beside)} (format parquet, compression zstd)")
