"""From a quarantined row back to its sender: whose it is is kept, and what was mended is not told again."""

from __future__ import annotations

import duckdb
import pytest
from landing_place import AS_OF, HEADER, Place, column, table

from orchestration.feedback.faults import collect
from orchestration.landing.operations import ensure_empty_tables, export_operations

GOOD = b"1,Ash,1980-02-01,2026-01-01,1\n3,Elm,1981-02-01,2026-01-01,1\n"
BAD = b"2,Oak,1980-02-01,2026-02-31,1\n"


def faults(place: Place) -> list[tuple]:
    """(organisation, kind, column, line, the supplier's key, its record id) of every fault that stands."""
    export_operations(place.ledger, place.zones.raw)
    ensure_empty_tables([place.source], place.zones.raw)
    with duckdb.connect() as con:
        con.execute("attach ':memory:' as build")
        con.execute("""
            create schema build.core;
            create schema build.intermediate;
            create table build.core.record (source varchar, organisation_code varchar, record_token uuid, person_id uuid,
                birth_month date, sex varchar, postcode_state varchar, ethnic_category_code varchar, is_in_review boolean,
                is_test_record boolean);
            create table build.core.data_quality_result
                (source varchar, table_name varchar, stage varchar, rule varchar, n_failed bigint);
            insert into build.core.data_quality_result values ('clinic', 'people', 'landed', 'between:visits', 1);
            create table build.intermediate.int_coded_statement__gp_emis (event_key varchar, record_token uuid, code varchar,
                supplied_code varchar, organisation_code varchar, is_deleted boolean);
            create view build.intermediate.int_coded_statement__gp_systmone as
                select * from build.intermediate.int_coded_statement__gp_emis;
        """)
        collect(con, [place.source], place.zones.raw, place.zones.identifiable, AS_OF)
        return con.execute(
            "select organisation_code, kind, column_name, line, row_identity, local_id from fault order by all"
        ).fetchall()


def test_a_quarantined_row_keeps_the_supplier_s_own_id_of_the_record(place):
    place.deliver_and_land("2026-03-30", {"people.csv": HEADER + GOOD + BAD})
    assert faults(place) == [(None, "bad_date", "seen", 4, "local_id=2", "2")]


def test_a_full_delivery_of_the_same_window_takes_the_faults_of_the_one_before_away(place):
    place.deliver_and_land("2026-03-29", {"people.csv": HEADER + GOOD + BAD})
    place.deliver_and_land("2026-03-30", {"people.csv": HEADER + GOOD})
    assert faults(place) == []


@pytest.mark.parametrize(("again", "expected"), [(b"a,P1,2026-03-01\n", 1), (b"b,P1,2026-03-01\n", 0)])
def test_a_row_that_comes_again_well_in_a_delta_is_mended(make_place, again, expected):
    """Its own key counts: another row says nothing of it."""
    visits = table(
        "visits",
        [column("id"), column("practice"), column("seen", "date")],
        mode="bulk_then_delta",
        window=["practice"],
    )
    place = make_place(visits, organisation="practice")
    header = b"id,practice,seen\n"
    place.deliver_and_land("2026-03-29", {"visits.csv": header + b"c,P1,2026-03-01\n"})
    place.deliver_and_land("2026-03-30", {"visits.csv": header + b"b,P1,2026-02-31\nd,P1,2026-03-01\n"})
    place.deliver_and_land("2026-03-31", {"visits.csv": header + again})
    assert [row[0] for row in faults(place)] == ["P1"] * expected


def test_a_row_that_landed_and_breaks_a_rule_is_found_by_its_line(make_place):
    columns = [
        column("local_id", identity="record_id"),
        column("surname", identity="family_name"),
        column("visits", "integer", minimum=0, maximum=9),
    ]
    place = make_place(table("people", columns))
    place.deliver_and_land("2026-03-30", {"people.csv": b"local_id,surname,visits\n1,Ash,3\n2,Elm,40\n"})
    assert faults(place) == [(None, "between", "visits", 3, None, "2")]


def test_of_a_file_of_many_practices_only_what_was_replaced_is_mended(make_place):
    """The same practice's rows came again whole; the other's faults stand."""
    visits = table("visits", [column("id"), column("practice"), column("seen", "date")], window=["practice"])
    place = make_place(visits, organisation="practice")
    header = b"id,practice,seen\n"
    both = header + b"a,P1,2026-02-31\nb,P1,2026-03-01\nc,P2,2026-02-31\nd,P2,2026-03-01\n"
    place.deliver_and_land("2026-03-29", {"visits.csv": both})
    place.deliver_and_land("2026-03-30", {"visits.csv": header + b"a,P1,2026-03-01\n"})
    assert [row[0] for row in faults(place)] == ["P2"]
