"""GP staging models replayed by dbt: EMIS deletes under a disabled agreement, and a SystmOne bulk table in a delta."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
import yaml
from dbt.cli.main import dbtRunner

from orchestration.landing.contract import read_contract

REPOSITORY = Path(__file__).resolve().parents[2]
STAGING = REPOSITORY / "dbt_project" / "models" / "staging"
NORTH, SOUTH = "{A0000000-0000-0000-0000-000000000001}", "{A0000000-0000-0000-0000-000000000002}"
ANN, BEN, CAT = (str(UUID(int=i)) for i in (1, 2, 3))
TABLES = {
    "gp_emis": ("admin_patient", "agreements_sharing_organisation"),
    "gp_systmone": ("sr_code",),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project of our macros and the two sources' staging models, over empty raw tables."""
    root = tmp_path / "project"
    location = "read_parquet('{{ env_var('PHM_DATA_DIR') }}/raw/{schema}/{name}/*.parquet', union_by_name = true)"
    document = {
        "name": "trial",
        "version": "1.0.0",
        "profile": "trial",
        "macro-paths": [str(REPOSITORY / "dbt_project" / "macros")],
        "sources": {"+external_location": location},
        "models": {"+materialized": "incremental", "+incremental_strategy": "delete+insert", "+on_schema_change": "fail"},
    }
    profile = {"target": "t", "outputs": {"t": {"type": "duckdb", "path": "{{ env_var('PHM_DATA_DIR') }}/trial.duckdb"}}}
    for source, tables in TABLES.items():
        folder = root / "models" / source
        folder.mkdir(parents=True)
        shutil.copy(STAGING / source / f"_{source}__sources.yml", folder)
        for table in tables:
            shutil.copy(STAGING / source / f"stg_{source}__{table}.sql", folder)
            write_rows(tmp_path, source, table, 0, [])
    (root / "models" / "operations.yml").write_text(
        yaml.safe_dump({"sources": [{"name": "operations", "tables": [{"name": "delivery_window"}]}]})
    )
    (root / "dbt_project.yml").write_text(yaml.safe_dump(document))
    (root / "profiles.yml").write_text(yaml.safe_dump({"trial": profile}))
    write_windows(tmp_path, 0, [])
    monkeypatch.setenv("PHM_DATA_DIR", str(tmp_path))
    return root


def write_rows(data_dir: Path, source: str, table: str, load_seq: int, rows: list[dict]) -> None:
    """One load of a raw table as landing writes it; columns that a row does not name are NULL."""
    columns = read_contract(STAGING / source / f"_{source}__sources.yml").table(table).raw_columns
    folder = data_dir / "raw" / source / table
    folder.mkdir(parents=True, exist_ok=True)
    selects = [
        "select " + ", ".join(f"cast({_literal(row.get(name))} as {kind}) as {name}" for name, kind in columns.items())
        for row in [*({"_load_seq": load_seq, "_line": line, **row} for line, row in enumerate(rows, 2)), {}]
    ]
    text = " union all ".join(selects)
    with duckdb.connect() as connection:
        connection.execute(f"copy (from ({text}) where _load_seq is not null) to '{folder}/{load_seq:08d}.parquet'")


def write_windows(data_dir: Path, load_seq: int, windows: list[tuple[str, str, str, str]]) -> None:
    """Windows (source, table, window, mode) of one load."""
    folder = data_dir / "raw" / "operations" / "delivery_window"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [(load_seq, *window) for window in windows] or [(-1, "", "", "", "")]
    values = ", ".join(str(row) for row in rows)
    with duckdb.connect() as connection:
        connection.execute(
            f'copy (from (values {values}) as t(load_seq, source, table_name, "window", mode) where load_seq >= 0) '
            f"to '{folder}/{load_seq:08d}.parquet'"
        )


def _literal(value: object) -> str:
    return "null" if value is None else f"'{value}'"


def replay(project: Path, model: str, columns: str, *, full_refresh: bool = False) -> list[tuple]:
    """Run one staging model and return its rows."""
    arguments = ["run", "--quiet", "--select", model, "--project-dir", str(project), "--profiles-dir", str(project)]
    result = dbtRunner().invoke([*arguments, "--full-refresh"] if full_refresh else arguments)
    assert result.success, result.exception
    with duckdb.connect(str(project.parent / "trial.duckdb")) as connection:
        return connection.execute(f"select {columns} from {model} order by all").fetchall()


def test_deletes_under_a_disabled_agreement_are_ignored(project: Path) -> None:
    """Trap 6: a disabled sharing agreement is followed by mass deletes, which are none."""
    data_dir = project.parent

    def deliver(load_seq: int, patients: list[tuple[str, str, bool]], agreements: list[tuple[str, bool]]) -> None:
        day = f"2025-10-0{load_seq}"
        write_rows(
            data_dir,
            "gp_emis",
            "admin_patient",
            load_seq,
            [
                {
                    "organisation_guid": practice,
                    "_window": practice,
                    "record_token": token,
                    "sex": None if gone else "F",
                    "_row_hash": 2 if gone else 1,
                    "_delivery_date": day,
                    "_is_deleted": gone,
                }
                for practice, token, gone in patients
            ],
        )
        write_rows(
            data_dir,
            "gp_emis",
            "agreements_sharing_organisation",
            load_seq,
            [
                {"organisation_guid": practice, "disabled": disabled, "_delivery_date": day, "_is_deleted": False}
                for practice, disabled in agreements
            ],
        )

    deliver(1, [(NORTH, ANN, False), (NORTH, BEN, False), (SOUTH, CAT, False)], [(NORTH, False), (SOUTH, False)])
    columns = "organisation_guid, record_token::varchar, sex, is_deleted"
    replay(project, "stg_gp_emis__admin_patient", columns)
    deliver(2, [(NORTH, BEN, True)], [])
    deliver(3, [(NORTH, ANN, True), (SOUTH, CAT, True)], [(NORTH, True)])
    night_by_night = replay(project, "stg_gp_emis__admin_patient", columns)

    # Ben left while the agreement stood; Ann's delete came with its suspension; the other practice was never suspended
    assert night_by_night == [(NORTH, ANN, "F", False), (NORTH, BEN, None, True), (SOUTH, CAT, None, True)]

    # the agreement in force again does not bring the ignored delete back, and a rebuild says the same
    deliver(4, [], [(NORTH, False)])
    assert replay(project, "stg_gp_emis__admin_patient", columns) == night_by_night
    rebuilt = replay(project, "stg_gp_emis__admin_patient", columns, full_refresh=True)
    assert [row for row in rebuilt if not row[3]] == [(NORTH, ANN, "F", False)]


def test_a_bulk_table_replaces_what_one_practice_has_sent_and_no_other(project: Path) -> None:
    data_dir = project.parent

    def deliver(load_seq: int, codes: list[tuple[str, int, str]]) -> None:
        rows = [
            {
                "id_organisation_visible_to": practice,
                "_window": practice,
                "row_identifier": number,
                "ctv3_code": code,
                "_row_hash": sum(map(ord, code)),
                "_delivery_date": f"2025-10-0{load_seq}",
                "_is_deleted": False,
            }
            for practice, number, code in codes
        ]
        write_rows(data_dir, "gp_systmone", "sr_code", load_seq, rows)
        practices = sorted({practice for practice, _, _ in codes})
        write_windows(data_dir, load_seq, [("gp_systmone", "sr_code", practice, "full") for practice in practices])

    deliver(1, [("T99002", 1, "XaZ89"), ("T99002", 2, "XaZ89"), ("T99004", 1, "xaz89")])
    columns = "id_organisation_visible_to, row_identifier, ctv3_code"
    replay(project, "stg_gp_systmone__sr_code", f"{columns}, is_deleted")
    deliver(2, [("T99002", 2, "XaZ8A")])
    rows = replay(project, "stg_gp_systmone__sr_code", f"{columns}, is_deleted")

    assert [row[:3] for row in rows if not row[3]] == [("T99002", 2, "XaZ8A"), ("T99004", 1, "xaz89")]
    assert [row[:2] for row in rows if row[3]] == [("T99002", 1)]
