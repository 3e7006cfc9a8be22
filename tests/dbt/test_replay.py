"""`current_rows`: random histories of full and delta loads, replayed load by load and all at once, against a plain oracle."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
import yaml
from dbt.cli.main import dbtRunner

REPOSITORY = Path(__file__).resolve().parents[2]
N_LOADS = 5
KEYS = "abcd"
BLANK = "d"  # written as no value at all: a supplier's key may have blank parts
WINDOWS = ("north", "south")


@dataclass(frozen=True)
class Version:
    """One raw row."""

    key: str
    value: int
    ordinal: int | None
    load_seq: int
    window: str
    line: int
    deleted: bool

    @property
    def sql(self) -> str:
        ordinal = "null" if self.ordinal is None else self.ordinal
        return (
            f"('{self.key}', {self.value}, {ordinal}, '{self.window}', {self.load_seq}, date '2025-04-01', "
            f"'{self.window}', {self.line}, hash({self.value}), {str(self.deleted).lower()})"
        )


@dataclass(frozen=True)
class Load:
    """One accepted file: the windows it covers and the rows it brought."""

    seq: int
    modes: dict[str, str]
    rows: tuple[Version, ...]


def expected_rows(loads: list[Load], is_ordered: bool) -> dict[str, tuple[int, int]]:
    """Key -> (value, load) of the rows that are alive after `loads`: the definition in docs/architecture.md, word for word."""
    emptied = {window: load.seq for load in loads for window, mode in load.modes.items() if mode == "full"}
    standing = [row for load in loads for row in load.rows if row.load_seq >= emptied.get(row.window, 0)]

    def age(row: Version) -> tuple:
        ordinal = (row.ordinal is not None, row.ordinal or 0) if is_ordered else ()
        return (ordinal, row.load_seq, row.line)

    newest = {row.key: row for row in sorted(standing, key=age)}
    return {key: (row.value, row.load_seq) for key, row in newest.items() if not row.deleted}


def random_history(rng: random.Random, first_seq: int) -> list[Load]:
    """Loads that overtake, repeat, delete, revive and empty windows; some full loads bring no row at all."""
    loads = []
    for seq in range(first_seq, first_seq + N_LOADS):
        covered = rng.sample(WINDOWS, rng.choice((1, 2)))
        modes = {window: rng.choice(("full", "delta")) for window in covered}
        rows = tuple(
            Version(
                key=rng.choice(KEYS),
                value=rng.randrange(3),
                ordinal=rng.choice((None, 1, 2, 3)),
                load_seq=seq,
                window=rng.choice(covered),
                line=line,
                deleted=rng.random() < 0.2,
            )
            for line in range(rng.choice((0, 1, 3, 5)))
        )
        loads.append(Load(seq, modes, rows))
    return loads


def write_load(data_dir: Path, table: str, load: Load) -> None:
    """Add one load to the raw zone as landing does."""
    rows = ", ".join(row.sql for row in load.rows)
    empty = "('', 0, 0, '', 0, date '2025-04-01', '', 0, hash(0), false)"
    columns = "record_key, value, ordinal, area, _load_seq, _delivery_date, _window, _line, _row_hash, _is_deleted"
    windows = ", ".join(f"({load.seq}, 'trial', '{table}', '{w}', '{mode}')" for w, mode in load.modes.items())
    for path in (data_dir / "raw" / "trial" / table, data_dir / "raw" / "operations" / "delivery_window"):
        path.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * replace (ordinal::integer as ordinal, nullif(record_key, '{BLANK}') as record_key) "
            f"from (values {rows or empty}) as t({columns}) "
            "where _load_seq > 0) "
            f"to '{data_dir}/raw/trial/{table}/{load.seq:08d}.parquet' (format parquet)"
        )
        connection.execute(
            f'copy (select * from (values {windows}) as t(load_seq, source, table_name, "window", mode)) '
            f"to '{data_dir}/raw/operations/delivery_window/{table}_{load.seq:08d}.parquet' (format parquet)"
        )


def write_project(project: Path, tables: dict[str, dict]) -> None:
    """A dbt project whose only macros are ours: one source table and one staging model per history."""
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
    sources = [
        {"name": "operations", "tables": [{"name": "delivery_window"}]},
        {
            "name": "trial",
            "tables": [
                {"name": name, "config": {"meta": {"contract": terms}}, "columns": [{"name": "record_key"}, {"name": "area"}]}
                for name, terms in tables.items()
            ],
        },
    ]
    models = project / "models"
    models.mkdir(parents=True)
    (project / "dbt_project.yml").write_text(yaml.safe_dump(document))
    (project / "profiles.yml").write_text(yaml.safe_dump({"trial": profile}))
    (models / "sources.yml").write_text(yaml.safe_dump({"sources": sources}))
    for name, terms in tables.items():
        (models / f"stg_{name}.sql").write_text(
            f"{{{{ config(unique_key = {terms['key']}) }}}}\n"
            "select record_key, value, ordinal, area, _load_seq, _changed_seq, _window, _row_hash, is_deleted\n"
            f"from {{{{ current_rows('trial', '{name}') }}}} as rows\n"
        )


def run(project: Path, *arguments: str) -> None:
    result = dbtRunner().invoke(
        ["--quiet", "run", "--project-dir", str(project), "--profiles-dir", str(project), "--threads", "1", *arguments]
    )
    assert result.success, [r.message for r in result.result] if result.result else result.exception


def read(data_dir: Path, table: str, terms: dict) -> dict[str, tuple]:
    """Key -> (value, load, changed, is_deleted) of a staging model; a key of two columns is shown as one text."""
    key = " || ".join(f"coalesce({column}, '{BLANK}')" for column in terms["key"])
    with duckdb.connect(f"{data_dir}/trial.duckdb") as connection:
        rows = connection.execute(f"select {key}, value, _load_seq, _changed_seq, is_deleted from main.stg_{table}").fetchall()
    assert len({row[0] for row in rows}) == len(rows), f"{table}: a key has two rows"
    return {row[0]: row[1:] for row in rows}


def alive(rows: dict[str, tuple]) -> dict[str, tuple[int, int]]:
    return {key: (row[0], row[1]) for key, row in rows.items() if not row[3]}


@pytest.fixture(scope="module")
def histories(tmp_path_factory):
    """States of every history after each load, and after one rebuild of everything: {table: (loads, [state...], rebuilt)}."""
    rng = random.Random(20250401)
    shapes = {
        "plain": {"key": ["record_key"], "window": ["area"]},
        "ordered": {"key": ["record_key"], "window": ["area"], "order_by": ["ordinal"]},
        "windowed_key": {"key": ["area", "record_key"], "window": ["area"]},
    }
    tables = {f"{shape}_{n}": terms for shape, terms in shapes.items() for n in range(6 if shape != "windowed_key" else 1)}
    loads = {name: random_history(rng, first_seq=1) for name in tables}
    root = tmp_path_factory.mktemp("replay")
    data_dir, project = root / "data", root / "project"
    write_project(project, tables)
    states: dict[str, list[dict]] = {name: [] for name in tables}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PHM_DATA_DIR", str(data_dir))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        for step in range(N_LOADS):
            for name in tables:
                write_load(data_dir, name, loads[name][step])
            run(project)
            for name in tables:
                states[name].append(read(data_dir, name, tables[name]))
        before = {name: read(data_dir, name, tables[name]) for name in tables}
        run(project)
        again = {name: read(data_dir, name, tables[name]) for name in tables}
        assert again == before, "a run without new loads changed something"
        run(project, "--full-refresh")
        rebuilt = {name: read(data_dir, name, tables[name]) for name in tables}
    return {name: (terms, loads[name], states[name], rebuilt[name]) for name, terms in tables.items()}


def oracle(terms: dict, loads: list[Load]) -> dict[str, tuple[int, int]]:
    if terms["key"] == ["record_key"]:
        return expected_rows(loads, "order_by" in terms)
    split = [
        Load(load.seq, load.modes, tuple(Version(**{**vars(r), "key": r.window + r.key}) for r in load.rows)) for load in loads
    ]
    return expected_rows(split, "order_by" in terms)


def test_every_load_leaves_the_rows_that_the_definition_says(histories):
    for name, (terms, loads, states, _) in histories.items():
        for step, state in enumerate(states):
            assert alive(state) == oracle(terms, loads[: step + 1]), f"{name} after load {step + 1}: {loads[: step + 1]}"


def test_a_rebuild_gives_the_same_rows_as_the_increments(histories):
    for name, (_, loads, states, rebuilt) in histories.items():
        assert alive(rebuilt) == alive(states[-1]), f"{name}: {loads}"


def test_a_rebuild_keeps_tombstones_only_of_keys_that_once_lived(histories):
    for name, (terms, loads, _, rebuilt) in histories.items():
        if "order_by" in terms:
            continue  # a delete must stay, to overrule an older version that comes late
        lived = {v for load in loads for row in load.rows if not row.deleted for v in (row.key, row.window + row.key)}
        assert rebuilt.keys() <= lived, name


def test_changed_seq_moves_exactly_when_content_or_deletion_changes(histories):
    for name, (_, loads, states, _) in histories.items():
        for step, (before, after) in enumerate(pairwise(states), start=2):
            for key, (value, _, changed, is_deleted) in after.items():
                held = before.get(key)
                if held is not None and held[3] and is_deleted:
                    continue  # a tombstone that is deleted again says nothing new
                is_same = held is not None and (held[0], held[3]) == (value, is_deleted)
                assert changed == (held[2] if is_same else step), f"{name} {key} load {step}: {loads}"
