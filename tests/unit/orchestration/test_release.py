"""A release is whole or not there; readers never notice that one is being made."""

from __future__ import annotations

import hashlib
import json
import stat
import subprocess
import sys
from datetime import date, datetime

import duckdb
import pytest

from linkage.duck import Limits
from orchestration.landing.keys import PseudonymisationKey
from orchestration.publishing import release
from orchestration.publishing.disclosure_ledger import DisclosureLedger
from orchestration.publishing.lineage import Lineage, read_lineage
from orchestration.publishing.open_data import OPEN_DEFINITIONS, OPEN_TABLES

LINEAGE = {("marts_direct_care", "person"): Lineage(("core.person",), ("gp.patient", "hospital.spell"))}
KEY = PseudonymisationKey(b"k" * 32)


def make_build_database(path, n_people, release_rows_dir):
    """A build database in the shape that dbt leaves: core tables, marts on them, and the `release` mart as a view."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema core")
        connection.execute(
            "create table core.person as select cast(md5(i::varchar) as uuid) as person_id, 'E0100000' || i as lsoa_code "
            f"from range({n_people}) as t(i)"
        )
        make_open_marts(connection)
        for schema in release.PURPOSES.values():
            connection.execute(f"create schema {schema}")
            connection.execute(f"create view {schema}.person as select * from core.person")
            connection.execute(
                f"create table {schema}.person_condition as select person_id, 'dm' as condition_code from core.person"
            )
            connection.execute(f"comment on view {schema}.person is 'One row per person. Everybody.'")
            connection.execute(f"comment on column {schema}.person_condition.condition_code is 'The condition, in one''s words.'")
            connection.execute(
                f"create view {schema}.release as "
                f"select * from read_parquet('{release_rows_dir}/*.parquet', union_by_name = true)"
            )

        connection.execute("create schema cohorts")
        connection.execute("create table cohorts.cohort as select 'diabetes' as code, '1' as version")
        connection.execute(
            "create table cohorts.person_cohort as select person_id, 'diabetes' as cohort_code, date '2020-01-01' as entered_on, "
            "case when row_number() over (order by person_id) <= 10 then date '2025-03-01' end as exited_on, "
            "'Diabetes' as evidence from marts_direct_care.person"
        )


def make_open_marts(connection):
    """The tables of open data for one month and one place, in which each count is made of 3, 40 and 57 people, and the policy."""
    connection.execute("create schema seeds")
    connection.execute(
        "create table seeds.disclosure_policy as "
        "select 'hes_style' as code, 1 as hidden_from, 7 as hidden_to, 5 as round_base, true as has_secondary, "
        "5 as protected_values, 20 as min_denominator"
    )
    connection.execute("create schema marts_open")
    area = "date '2025-03-31' as month_end, 'all' as area_type, 'all' as area_code, cast(null as varchar) as parent_area_code"
    for table in OPEN_TABLES:
        flags = "".join(f", cast(null as boolean) as {measure.hidden_flag}" for measure in table.measures)
        ratios = "".join(
            f", cast(null as double) as {ratio.name}, cast(null as boolean) as is_{ratio.name}_hidden" for ratio in table.ratios
        )
        divided = ", ".join(
            f"'all' as {name}" if table.name == "agg_population" and name == "sex" else f"value as {name}"
            for name in table.dimensions
        )
        measures = ", ".join(f"{'n' if measure.over else '100'}::integer as {measure.name}" for measure in table.measures)
        total = "('all', 100), " if len(table.measures) == 1 else ""
        connection.execute(
            f"create table marts_open.{table.name} as select {area}, {divided}, {measures}{flags}{ratios} "
            f"from (values {total}('a', 3), ('b', 40), ('c', 57)) as t(value, n)"
        )
    for table in OPEN_DEFINITIONS:
        connection.execute(f"create table marts_open.{table} as select 'condition' as kind, 'diabetes' as code")


@pytest.fixture
def place(tmp_path):
    """Arguments of `publish` over a small build database; `place(release_id, **changes)` publishes."""
    rows_dir = tmp_path / "raw" / "operations" / "release"
    rows_dir.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select '' as release_id, date '2025-01-01' as as_of, timestamp '2025-01-01' as built_at, '' as git_commit, "
            f"'' as model_version, 0::bigint as n_people where false) to '{rows_dir}/00000000.parquet'"
        )
    make_build_database(tmp_path / "build.duckdb", 50, rows_dir)
    limits = Limits("512MB", 2, "1GB", tmp_path / "spill")

    def site(database, pages_dir, output_dir, facts):
        output_dir.mkdir()
        (output_dir / "index.html").write_text(f"{facts.purpose} {facts.release_id}")
        return [output_dir / "index.html"]

    def publish(release_id, *, hour=1, **changes):
        facts = release.ReleaseFacts(
            release_id, date(2025, 4, 1), datetime(2025, 4, 1, hour), "abc", "model 1", key_id=KEY.key_id
        )
        arguments = {
            "facts": facts,
            "build_database": tmp_path / "build.duckdb",
            "releases_dir": tmp_path / "releases",
            "release_rows_dir": rows_dir,
            "members_dir": rows_dir.parent / "cohort_member",
            "pages_dir": tmp_path,
            "key": KEY,
            "limits": limits,
            "keep": 3,
            "build_site": site,
            "disclosure_policy": "hes_style",
            "ledger": DisclosureLedger(tmp_path / "disclosure"),
            "lineage": LINEAGE,
        }
        return release.publish(**arguments | changes)

    publish.folder = tmp_path
    publish.releases = tmp_path / "releases"
    publish.rows_dir = rows_dir
    publish.members_dir = rows_dir.parent / "cohort_member"
    return publish


def query(database, sql):
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_a_release_holds_every_mart_of_each_purpose_as_duckdb_and_parquet(place):
    made = place("one")
    marts = {"person": 50, "person_condition": 50, "release": 1}
    assert set(made.tables) == {*release.PURPOSES, release.OPEN}
    assert all(marts.items() <= made.tables[purpose].items() for purpose in release.PURPOSES)
    current = place.releases / "current"
    for purpose in release.PURPOSES:
        database = current / purpose / f"{purpose}.duckdb"
        assert query(database, "select count(*) from marts.person") == [(50,)]
        parquet = current / purpose / "parquet" / "person.parquet"
        assert query(database, f"select * from marts.person except select * from '{parquet}'") == []
        assert (current / purpose / "site" / "index.html").read_text() == f"{purpose} one"


def test_open_data_holds_no_person_and_no_small_number(place):
    made = place("one")
    folder = made.path / release.OPEN
    assert {table.name for table in OPEN_TABLES} | set(OPEN_DEFINITIONS) <= set(made.tables[release.OPEN])
    for table in OPEN_TABLES:
        parquet = folder / "parquet" / f"{table.name}.parquet"
        for measure in table.measures:
            sql = f"select {measure.name}, {measure.hidden_flag} from {{}}"
            figures = query(folder / "open.duckdb", sql.format(f"marts.{table.name}"))
            assert sorted(figures, key=str) == sorted(query(folder / "open.duckdb", sql.format(f"'{parquet}'")), key=str)
            assert all(is_hidden == (figure is None) and figure != 3 for figure, is_hidden in figures)
    assert query(folder / "open.duckdb", "select count(*) from duckdb_columns() where column_name like '%person_id%'") == [(0,)]
    assert (folder / "site" / "index.html").read_text() == "open one"


def test_a_killed_release_leaves_no_memory_of_what_nobody_saw(place):
    def broken(database, pages_dir, output_dir, facts):
        if facts.purpose == release.OPEN:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place("killed", build_site=broken)
    ledger = DisclosureLedger(place.folder / "disclosure")
    assert ledger.published("agg_population") is None
    place("one", hour=2)
    assert set(ledger.published("agg_population")["release_id"]) == {"one"}


def test_open_data_that_cannot_be_made_safe_is_not_published(place):
    with duckdb.connect(str(place.folder / "build.duckdb")) as connection:
        connection.execute("update marts_open.agg_segment set n_people = 99 where segment_code = 'all'")
    with pytest.raises(release.ReleaseError, match="differ from table to table"):
        place("one")
    with pytest.raises(release.ReleaseError, match="the policies are hes_style"):
        place("one", disclosure_policy="none")
    assert release.current_release(place.releases) is None


def test_the_release_lists_itself(place):
    place("one")
    place("two", hour=2)
    rows = query(
        place.releases / "current/direct_care/direct_care.duckdb", "select release_id, n_people from marts.release order by 1"
    )
    assert rows == [("one", 50), ("two", 50)]


def test_two_purposes_cannot_be_joined_and_neither_shows_the_index(place):
    made = place("one")
    ids = {
        purpose: {row[0] for row in query(made.path / purpose / f"{purpose}.duckdb", "select person_id from marts.person")}
        for purpose in release.PURPOSES
    }
    ids["index"] = {row[0] for row in query(place.folder / "build.duckdb", "select person_id from core.person")}
    assert [len(people) for people in ids.values()] == [50, 50, 50]
    assert len(set().union(*ids.values())) == 150


def test_a_persons_id_is_the_same_in_every_table_and_every_release(place):
    sql = "select person_id from marts.person union all select person_id from marts.person_condition"
    first = query(place("one").path / "direct_care/direct_care.duckdb", sql)
    second = query(place("two", hour=2).path / "direct_care/direct_care.duckdb", sql)
    assert set(first) == set(second)
    assert len(set(first)) == 50


def test_descriptions_travel_with_the_columns(place):
    found = query(
        place("one").path / "direct_care/direct_care.duckdb",
        "select comment from duckdb_columns() where table_name = 'person_condition' and column_name = 'condition_code'",
    )
    assert found == [("The condition, in one's words.",)]


def test_the_dictionary_of_a_part_describes_every_table_and_column_of_it_its_own_too(place):
    made = place("one")
    for purpose in (*release.PURPOSES, release.OPEN):
        database = made.path / purpose / f"{purpose}.duckdb"
        tables = query(database, "select table_name, n_rows, purpose from marts.dictionary_table")
        assert {(table, n_rows) for table, n_rows, _ in tables} == set(made.tables[purpose].items())
        assert {of for *_, of in tables} == {purpose}
        for table, n_rows, _ in tables:
            assert query(database, f'select count(*) from marts."{table}"') == [(n_rows,)]
        columns = "select table_name, column_name, position, data_type, {} from {}"
        assert query(database, columns.format("description", "marts.dictionary_column") + " order by all") == query(
            database,
            columns.format("comment", "duckdb_columns()").replace("position", "column_index")
            + " where not internal order by all",
        )


def test_the_dictionary_says_grain_and_origin(place):
    database = place("one").path / "direct_care/direct_care.duckdb"
    entry = "select grain, description, upstream_tables, sources from marts.dictionary_table where table_name = '{}'"
    assert query(database, entry.format("person")) == [
        ("One row per person", "One row per person. Everybody.", "core.person", "gp.patient, hospital.spell")
    ]
    assert query(database, entry.format("person_condition")) == [(None, None, None, None)]


def test_lineage_follows_models_to_the_suppliers_tables_and_stops_at_seeds():
    def model(alias, *reads):
        return {"resource_type": "model", "schema": "room", "alias": alias, "depends_on": {"nodes": list(reads)}}

    manifest = {
        "sources": {"s1": {"source_name": "gp", "name": "patient"}, "s2": {"source_name": "gp", "name": "event"}},
        "nodes": {
            "seed": {"resource_type": "seed", "schema": "seeds", "alias": "rule"},
            "patient": model("stg_patient", "s1"),
            "event": model("stg_event", "s2", "patient"),
            "mart": model("mart", "event", "seed"),
        },
    }
    assert read_lineage(manifest)["room", "mart"] == Lineage(("room.stg_event", "seeds.rule"), ("gp.event", "gp.patient"))


def test_every_file_is_read_only_and_its_checksum_is_in_the_manifest(place):
    made = place("one")
    manifest = json.loads((made.path / "manifest.json").read_text())
    files = {path for path in made.path.rglob("*") if path.is_file()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}
    listed = {made.path / entry["path"]: entry["sha256"] for entry in manifest["files"]}
    assert set(listed) == files - {made.path / "manifest.json"}
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == digest for path, digest in listed.items())


def test_old_readers_can_open_it(place):
    header = (place("one").path / "direct_care/direct_care.duckdb").read_bytes()[:32]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64  # the storage version of DuckDB 0.9 to 1.1


def test_publishing_again_changes_nothing(place):
    first = place("one")
    made_at = (first.path / "manifest.json").stat().st_mtime_ns
    place("one", hour=9)
    assert (first.path / "manifest.json").stat().st_mtime_ns == made_at


def test_the_newest_are_kept_and_the_one_being_served_always(place):
    for hour, name in enumerate(["a", "b", "c"], start=1):
        place(name, hour=hour)
    release.switch(place.releases, "a")
    release.prune(place.releases, keep=2)
    assert [found.release_id for found in release.list_releases(place.releases)] == ["c", "b", "a"]
    release.switch(place.releases, "c")
    assert release.prune(place.releases, keep=2) == ["a"]


def test_a_release_that_was_killed_half_way_is_forgotten(place):
    def broken(*arguments):
        raise KeyboardInterrupt

    place("one")
    with pytest.raises(KeyboardInterrupt):
        place("two", hour=2, build_site=broken)
    assert release.current_release(place.releases).release_id == "one"
    made = place("three", hour=3)
    assert not list(place.releases.glob(".*"))
    rows = query(made.path / "direct_care/direct_care.duckdb", "select release_id from marts.release order by 1")
    assert rows == [("one",), ("three",)]


def test_a_build_that_did_not_finish_is_not_published(place):
    with duckdb.connect(str(place.folder / "build.duckdb")) as connection:
        connection.execute("drop view marts_secondary_use.person")
    with pytest.raises(release.ReleaseError, match="person"):
        place("one")
    assert release.current_release(place.releases) is None


def test_only_a_whole_release_can_be_served(place):
    place("one")
    with pytest.raises(release.ReleaseError, match="the releases are: one"):
        release.switch(place.releases, "zero")


READER = """
import sys, time
from pathlib import Path
import duckdb

current = Path(sys.argv[1]) / "current"
seen, reads = set(), 0
print("reading", flush=True)
while not (current.parent / "stop").exists():
    folder = current.resolve() / "direct_care"
    with duckdb.connect(str(folder / "direct_care.duckdb"), read_only=True) as connection:
        people, conditions = connection.execute(
            "select (select count(*) from marts.person), (select count(*) from marts.person_condition)"
        ).fetchone()
    files = duckdb.execute(f"select count(*) from '{folder}/parquet/person.parquet'").fetchone()[0]
    assert people == conditions == files, (people, conditions, files)
    seen.add(people)
    reads += 1
print(reads, *sorted(seen))
"""


def test_a_reader_that_never_stops_meets_no_lock_and_no_half_release(place):
    place("first")
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(place.releases)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert reader.stdout.readline() == "reading\n"
    for hour, n_people in enumerate([60, 70, 80], start=2):
        make_build_database(place.folder / "build.duckdb", n_people, place.rows_dir)
        place(f"release-{n_people}", hour=hour)
    (place.releases / "stop").touch()
    output, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    reads, *seen = map(int, output.split())
    assert reads >= 3
    assert set(seen) <= {50, 60, 70, 80}
    assert 80 in seen or 70 in seen


def test_a_purpose_for_which_nothing_may_be_published_has_no_part_and_the_release_says_why(place):
    facts = release.ReleaseFacts(
        "one",
        date(2025, 4, 1),
        datetime(2025, 4, 1),
        None,
        None,
        withheld={"secondary_use": "not known"},
        not_shared=["B2 ended"],
    )
    made = place("one", facts=facts)
    assert not (made.path / "secondary_use").exists()
    assert set(made.tables) == {"direct_care", "open"}
    assert release.current_release(place.releases).notices == ["nothing for secondary_use: not known", "B2 ended"]


def withdraw(place, people, *, is_closed=False):
    return release.withdraw(
        place.releases,
        "secondary_use",
        people=people,
        databases={"build": place.folder / "build.duckdb"},
        key=KEY,
        limits=Limits("512MB", 2, "1GB", place.folder / "spill"),
        is_closed=is_closed,
    )


NOBODY = "select person_id from build.core.person where false"
ONE_PERSON = "select person_id from build.core.person where lsoa_code = 'E01000007'"


def test_a_release_of_a_former_key_keeps_no_secondary_use_part_because_nobody_can_tell_who_is_in_it(place):
    former = release.ReleaseFacts("one", date(2025, 4, 1), datetime(2025, 4, 1, 1), "abc", "model 1", key_id="former")
    place("one", facts=former)
    place("two", hour=2)
    assert withdraw(place, NOBODY) == ["one"]


def test_an_earlier_release_loses_its_secondary_use_part_when_it_holds_somebody_who_has_objected_since(place):
    """Trap 17: an opt-out that comes after the marts were built also reaches what was published before."""
    place("one")
    place("two", hour=2)
    assert withdraw(place, NOBODY) == []
    assert withdraw(place, ONE_PERSON) == ["one"]
    earlier = release.read_release(place.releases / "one")
    assert set(earlier.tables) == {"direct_care", "open"}
    assert "may no longer be seen" in earlier.withheld["secondary_use"]
    assert not (earlier.path / "secondary_use").exists()
    assert query(earlier.path / "direct_care/direct_care.duckdb", "select count(*) from marts.person") == [(50,)]
    listed = json.loads((earlier.path / "manifest.json").read_text())["files"]
    assert {file["path"] for file in listed} == {
        str(path.relative_to(earlier.path)) for path in earlier.path.rglob("*") if path.is_file() and path.name != "manifest.json"
    }


def test_while_secondary_use_is_closed_no_earlier_release_keeps_its_part(place):
    place("one")
    place("two", hour=2)
    assert withdraw(place, NOBODY, is_closed=True) == ["one"]


def test_the_release_being_served_is_left_alone(place):
    place("one")
    assert withdraw(place, ONE_PERSON) == []


def test_who_was_in_a_cohort_is_remembered_as_long_as_the_release_is_kept(place):
    place("one")
    remembered = f"select release_id, count(*) from read_parquet('{place.members_dir}/*.parquet') group by all order by all"
    assert duckdb.sql(remembered).fetchall() == [("one", 40)]
    for hour, release_id in enumerate(("two", "three", "four"), start=2):
        place(release_id, hour=hour)
    assert sorted(path.stem for path in place.members_dir.iterdir()) == ["four", "three", "two"]


def test_who_was_in_a_cohort_of_a_release_that_never_was_is_forgotten(place):
    def breaks(*_):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        place("one", build_site=breaks)
    place("two")
    assert [path.stem for path in place.members_dir.iterdir()] == ["two"]
