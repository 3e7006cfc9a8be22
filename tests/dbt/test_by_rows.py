"""The rows that the documentation shows, added as it says: a condition, a cohort and a scheme, and not a line of SQL."""

from __future__ import annotations

import io
import re
from uuid import UUID

import duckdb
import polars as pl
import pytest
from dbt_warehouse import Warehouse
from raw_zone import PROJECT

PAGE = PROJECT.parent / "docs" / "clinical.md"
PEOPLE = [UUID(int=n) for n in (1, 2, 3)]
AFFECTED = PEOPLE[:2]
RECORDED = [(PEOPLE[0], "snomed", "396331005", "gp"), (PEOPLE[1], "icd10", "K900", "inpatient")]
ONSET = "2020-02-02"


def add_rows(database, page: str) -> set[str]:
    """Add each CSV block of a page to the seed that it names; returns the seeds."""
    seeds = set()
    with duckdb.connect(str(database)) as connection:
        for seed, rows in re.findall(r"```csv seeds/\w+/(\w+)\.csv\n(.*?)```", page, flags=re.DOTALL):
            connection.register("added", pl.read_csv(io.StringIO(rows), infer_schema=False))
            connection.execute(f"insert into seeds.{seed} by name select * from added")
            seeds.add(seed)
    return seeds


def put_people(database) -> None:
    """Three adults in place of the tiny place's people, of whom two have the condition, by a GP's record and a hospital's."""
    with duckdb.connect(str(database)) as connection:
        for table in ("condition_event", "person_record", "person_registration", "person"):
            connection.execute(f"delete from core.{table}")
        connection.execute(
            "insert into core.person (person_id, birth_month, age_years, is_alive, is_registered) "
            "select unnest($1), date '1980-05-01', 44, true, true",
            [PEOPLE],
        )
        for table in ("person_record (record_token, person_id, source)", "person_registration (practice_code, person_id)"):
            connection.execute(
                f"insert into core.{table} select unnest($1), unnest($1)" + (", 'gp_emis'" if "source" in table else ""), [PEOPLE]
            )
        for person, system, code, setting in RECORDED:
            connection.execute(
                "insert into core.condition_event "
                "(event_key, source, record_token, event_date, code_system, code, setting, is_deleted) "
                "values ($1, 'gp_emis', $1, $2, $3, $4, $5, false)",
                [person, ONSET, system, code, setting],
            )


@pytest.fixture(scope="module")
def place(warehouse, states, tmp_path_factory) -> Warehouse:
    """A place with those people and those rows."""
    copy = warehouse.copy(tmp_path_factory.mktemp("by_rows"))
    database = copy.data_dir / "warehouse" / "build.duckdb"
    added = add_rows(database, PAGE.read_text(encoding="utf-8"))
    assert {"register_rule", "cohort_rule", "segment_precedence", "segment_rule"} < added
    put_people(database)
    copy.invoke("run", "--select", "path:models/registers", "path:models/cohorts", "path:models/segments")
    return copy


def test_a_condition_added_by_rows_has_its_people(place):
    found = place.query(
        "select person_id, onset_date::varchar from registers.person_condition "
        "where condition_code = 'coeliac_disease' order by 1"
    )
    assert found == [(person, ONSET) for person in AFFECTED]


def test_a_cohort_added_by_rows_has_its_people(place):
    found = place.query("select person_id from cohorts.person_cohort where cohort_code = 'coeliac_adults' order by 1")
    assert [person for (person,) in found] == AFFECTED


def test_a_scheme_added_by_rows_puts_everyone_in_one_segment_every_month(place):
    n_segments = "select count(*), count(distinct (person_id, month_end)) from segments.person_segment where scheme = 'gut'"
    ((n_rows, n_people_months),) = place.query(n_segments)
    ((n_population,),) = place.query("select count(*) from segments.segment_population")
    assert n_rows == n_people_months == n_population >= len(PEOPLE)
    held = place.query(
        "select distinct person_id from segments.person_segment "
        "where scheme = 'gut' and segment_code = 'gut_condition' order by 1"
    )
    assert [person for (person,) in held] == AFFECTED
