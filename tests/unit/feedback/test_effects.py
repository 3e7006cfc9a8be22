"""How many people a fault concerns, and how many would change if it were mended."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from orchestration.feedback.effects import weigh

AS_OF = date(2026, 4, 1)
P, Q, R, NOBODY = (f"00000000-0000-0000-0000-00000000000{n}" for n in range(4))


@pytest.fixture
def con():
    """A build database in which people P and Q have a record each, and P's table of 10 rows has 2 that decide something."""
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as build")
        connection.execute("""
            create schema build.core;
            create schema build.registers;
            create table build.core.record (record_token uuid, person_id uuid);
            create table build.core.person_record (record_token uuid, person_id uuid);
            create table build.core.person
                (person_id uuid, birth_month date, sex varchar, lsoa_code varchar, ethnic_group varchar);
            create table build.core.condition_event
                (source varchar, event_key varchar, record_token uuid, event_date date, code_system varchar, code varchar);
            create table build.core.observation as
                select * exclude (event_date), event_date as observed_on from build.core.condition_event;
            create table build.core.medication as
                select * exclude (event_date), event_date as issued_on from build.core.condition_event;
            create table build.core.encounter
                (source varchar, event_key varchar, record_token uuid, started_at timestamp, setting varchar);
            create table build.registers.codelist (codelist_id varchar, code_system varchar, code varchar);
            create table contract_table (source varchar, table_name varchar, namespace varchar, is_register boolean);
            insert into contract_table values ('s', 'event', 's', false), ('s', 'patient', 's', true);
            create table delivery_standing (source varchar, table_name varchar, rows_landed bigint);
            insert into delivery_standing values ('s', 'event', 4), ('s', 'event', 6), ('s', 'patient', 9);
            create table said (record_token uuid, n_records integer, is_in_review boolean);
            create table fault (source varchar, organisation_code varchar, table_name varchar, kind varchar, column_name varchar,
                what varchar, delivery_date date, file varchar, line bigint, row_identity varchar, local_id varchar,
                record_token uuid);
        """)
        for person in (P, Q):
            connection.execute("insert into build.core.record values ($1, $1)", [person])
            connection.execute("insert into build.core.person_record values ($1, $1)", [person])
        connection.execute(
            "insert into build.core.person values ($1, null, 'F', 'E01', null), ($2, date '1980-01-01', null, 'E01', 'Asian')",
            [P, Q],
        )
        connection.execute("insert into build.registers.codelist values ('diabetes', 'snomed', '1'), ('asthma', 'snomed', '2')")
        # P: diabetes once (decides) and asthma twice; a code on no list; the only contact of the year on the day of the first
        connection.executemany(
            "insert into build.core.condition_event values ('s', $1, $2, $3, 'snomed', $4)",
            [
                ("event|1", P, AS_OF, "1"),
                ("event|2", P, AS_OF, "2"),
                ("event|3", P, date(2026, 3, 1), "2"),
                ("event|4", P, AS_OF, "9"),
            ],
        )
        connection.execute(
            "insert into build.core.encounter values ('s', 'event|1', $1, timestamp '2026-04-01 09:00', 'gp')", [P]
        )
        connection.execute(
            "insert into build.core.encounter values ('s', 'event|5', $1, timestamp '2026-02-01 09:00', 'gp')", [Q]
        )
        yield connection


def add(con, kind: str, table: str, *rows: tuple[str | None, str | None]) -> None:
    """Faults of (local id, record token)."""
    con.executemany(
        "insert into fault values ('s', 'O', $1, $2, null, 'why', date '2026-04-01', 'f.csv', $3, null, $4, $5)",
        [(table, kind, line, local_id, token) for line, (local_id, token) in enumerate(rows, 2)],
    )


def found(con) -> dict[str, tuple]:
    weigh(con, AS_OF)
    return {
        kind: tuple(rest)
        for kind, *rest in con.execute(
            "select kind, n_rows, n_people, n_links, n_lists, n_people_changed from fault_summary order by rank"
        ).fetchall()
    }


def test_a_row_of_somebody_known_changes_as_much_as_a_row_that_landed_decides(con):
    """Two of ten rows decide (one states a condition and is the only contact, and counts once): one lost row changes 0.2 of a
    person, two rows of one person 1 - 0.8²."""
    add(con, "bad_date", "event", ("p", P), ("p", P), ("q", Q))
    assert found(con)["bad_date"] == (3, 2, 0, pytest.approx(0.6, abs=0.05), pytest.approx(0.6, abs=0.05))


def test_whoever_is_in_no_record_at_all_is_missing(con):
    """Of the register itself, or of an event whose person nobody has sent; a patient row that does not say whose it is counts."""
    add(con, "bad_date", "patient", ("n", None), ("p", P))
    add(con, "missing_value", "patient", (None, None), (None, None))
    add(con, "bad_timestamp", "event", (None, None))
    people = found(con)
    assert people["bad_date"][:3] == (2, 2, 1)
    assert people["missing_value"][:3] == (2, 2, 2)
    assert people["bad_timestamp"][2] == 0


def test_a_record_linked_by_name_is_concerned_and_would_not_change(con):
    con.execute("insert into said values ($1, 1, false), ($2, 3, false), ($3, 2, true)", [P, Q, R])
    con.execute("insert into build.core.record values ($1, $1)", [R])
    add(con, "nhs_number_missing", "patient", ("p", P), ("q", Q), ("r", R))
    assert found(con)["nhs_number_missing"] == (3, 3, 2, 1.0, 2.0)


@pytest.mark.parametrize(
    ("kind", "token", "expected"),
    [
        ("birth_date_missing", P, 1),
        ("birth_date_missing", Q, 0),
        ("sex_missing", Q, 1),
        ("ethnicity_missing", P, 1),
        ("postcode_missing", P, 0),
    ],
)
def test_a_fact_counts_where_no_other_record_knows_it(con, kind, token, expected):
    add(con, kind, "patient", ("x", token))
    assert found(con)[kind] == (1, 1, 0, expected, expected)


def test_what_changes_most_people_comes_first(con):
    add(con, "sex_missing", "patient", ("p", P))
    add(con, "missing_value", "patient", (None, None))
    add(con, "duplicate", "event", *[("p", P)] * 50)
    assert list(found(con)) == ["missing_value", "duplicate", "sex_missing"]
