"""A list that a place loaded counts from the next build on, and a register can be read at a past date in two ways that agree."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from uuid import UUID

import duckdb
import pytest
from dbt_warehouse import Warehouse
from raw_zone import PROJECT

from orchestration.codelists.library import Codelist, Library
from orchestration.codelists.reading import Entry

PAST = "2021-06-30"
PEOPLE = [UUID(int=n) for n in range(1, 201)]
TYPE_2_DIABETES, IN_NO_EVENT = "44054006", "224484003"
#: Diagnoses and resolutions of registers with and without age limits, in the GP record; dementia counts in a hospital's too.
CODES = [
    ("snomed", code, "gp", "gp_emis") for code in (TYPE_2_DIABETES, "315051004", "59621000", "52448006", "195967001", "103735009")
]
CODES += [("icd10", "F03", "inpatient", "acute_sus"), ("snomed", "999999001", "gp", "gp_emis")]
REGISTERS = ("codelist", "condition_evidence", "condition_period", "person_condition")


def put_people(database) -> None:
    """Random histories of ten years in place of the tiny place's events; everybody may be seen for direct care."""
    chance = random.Random(20250410)
    first = date(2015, 1, 1)
    events = [
        (f"{person}|{n}", source, person, first + timedelta(chance.randrange(3_750)), system, code, setting, 1, False)
        for person in PEOPLE
        for n, (system, code, setting, source) in enumerate(chance.choices(CODES, k=8))
    ]
    births = [date(chance.randrange(1935, 2020), 1, 1) for _ in PEOPLE]
    with duckdb.connect(str(database)) as connection:
        for table in ("condition_event", "person_record", "person", "person_permission"):
            connection.execute(f"delete from core.{table}")
        columns = "event_key, source, record_token, event_date, code_system, code, setting, _changed_seq, is_deleted"
        connection.execute(
            f"insert into core.condition_event ({columns}) select " + ", ".join(f"unnest(${n})" for n in range(1, 10)),
            [list(column) for column in zip(*events, strict=True)],
        )
        connection.execute(
            "insert into core.person_record (record_token, person_id, source) select unnest($1), unnest($1), 'gp_emis'", [PEOPLE]
        )
        connection.execute("insert into core.person (person_id, birth_month) select unnest($1), unnest($2)", [PEOPLE, births])
        connection.execute(
            "insert into core.person_permission (person_id, is_direct_care_permitted) select unnest($1), true", [PEOPLE]
        )


@pytest.fixture(scope="module")
def place(warehouse, states, tmp_path_factory) -> Warehouse:
    """Registers of random people, in a place whose own list of carers has a code that their events have."""
    copy = warehouse.copy(tmp_path_factory.mktemp("codelists"))
    put_people(copy.data_dir / "warehouse" / "build.duckdb")
    library = Library(warehouse.data_dir / "raw", PROJECT / "seeds" / "codelists")
    entries = [Entry(TYPE_2_DIABETES, "Carer, as this place has it", "INCLUSION"), Entry(IN_NO_EVENT, "Carer", "INCLUSION")]
    kept = library.keep(Codelist("snomed_unpaid_carer", "2026", entries, "own.csv"), datetime(2026, 1, 1))
    marts = [f"direct_care__{name}" for name in ("codelist", "codelist_version", "unmapped_code")]
    try:
        copy.invoke("run", "--select", *REGISTERS, "code_use", *marts)
    finally:
        library.remove(kept)
    return copy


def test_a_loaded_list_replaces_the_shipped_one(place):
    found = place.query(
        "select code, version, is_loaded, n_events > 0 from marts_direct_care.codelist "
        "where codelist_id = 'snomed_unpaid_carer' order by code"
    )
    assert found == [(IN_NO_EVENT, "2026", True, False), (TYPE_2_DIABETES, "2026", True, True)]
    carers = "select count(distinct person_id) from registers.person_condition where condition_code = 'unpaid_carer'"
    recorded = f"select count(distinct record_token) from core.condition_event where code = '{TYPE_2_DIABETES}'"
    assert place.query(carers) == place.query(recorded) != [(0,)]


def test_the_release_says_which_versions_it_was_made_with(place):
    query = "select version, is_loaded, loaded_from, n_codes, n_codes_recorded, n_definitions from {} where codelist_id = '{}'"
    version = "marts_direct_care.codelist_version"
    assert place.query(query.format(version, "snomed_unpaid_carer")) == [("2026", True, "own.csv", 2, 1, 1)]
    ((shipped, is_loaded, loaded_from, *_),) = place.query(query.format(version, "snomed_asthma"))
    assert (shipped, is_loaded, loaded_from) == ("2025-06", False, None)


def test_a_frequent_code_on_no_list_is_reported_and_a_listed_one_is_not(place):
    unmapped = dict(place.query("select code, n_people from marts_direct_care.unmapped_code"))
    ((n_people,),) = place.query("select count(distinct record_token) from core.condition_event where code = '999999001'")
    assert unmapped["999999001"] == n_people
    assert not {code for _, code, *_ in CODES[:-1]} & unmapped.keys()


def test_a_register_at_a_past_date_is_what_that_date_would_have_shown(place):
    looking_back = place.query(
        "select distinct person_id, condition_code from registers.condition_period "
        f"where (active_from is null or active_from <= '{PAST}') and (active_to is null or active_to >= '{PAST}') order by all"
    )
    place.as_of = PAST
    place.invoke("run", "--select", *REGISTERS[1:])
    at_the_time = place.query("select person_id, condition_code from registers.person_condition where is_active order by all")
    assert at_the_time == looking_back
    assert len({condition for _, condition in looking_back}) >= 5
