"""A list that a place loaded counts from the next build on, and a register can be read at a past date in two ways that agree."""

from __future__ import annotations

import shutil
from datetime import datetime

import pytest
from dbt_warehouse import Warehouse
from raw_zone import PROJECT

from orchestration.codelists.library import Codelist, Library
from orchestration.codelists.reading import Entry

#: Codes of the tiny place come on the first four days of 2024.
PAST = "2024-01-02"
TYPE_2_DIABETES, IN_NO_EVENT = "44054006", "224484003"


@pytest.fixture(scope="module")
def rebuilt(warehouse, states, tmp_path_factory) -> Warehouse:
    """The registers as at `PAST`, in a place whose own list of carers has a code that its events have."""
    library = Library(warehouse.data_dir / "raw", PROJECT / "seeds" / "codelists")
    entries = [Entry(TYPE_2_DIABETES, "Carer, as this place has it", "INCLUSION"), Entry(IN_NO_EVENT, "Carer", "INCLUSION")]
    kept = library.keep(Codelist("snomed_unpaid_carer", "2026", entries, "own.csv"), datetime(2026, 1, 1))
    copy = Warehouse(tmp_path_factory.mktemp("codelists"), as_of=PAST, manifest=warehouse.manifest)
    shutil.copytree(warehouse.data_dir / "warehouse", copy.data_dir / "warehouse")
    try:
        copy.invoke(
            "run", "--select", "codelist", "condition_evidence", "condition_period", "person_condition", "code_use",
            "direct_care__codelist", "direct_care__codelist_version", "direct_care__unmapped_code",
        )  # fmt: skip
    finally:
        library.remove(kept)
    return copy


def test_a_loaded_list_replaces_the_shipped_one(rebuilt):
    found = rebuilt.query(
        "select code, version, is_loaded, n_events > 0 from marts_direct_care.codelist "
        "where codelist_id = 'snomed_unpaid_carer' order by code"
    )
    assert found == [(IN_NO_EVENT, "2026", True, False), (TYPE_2_DIABETES, "2026", True, True)]
    assert rebuilt.query("select count(*) from registers.person_condition where condition_code = 'unpaid_carer'") > [(0,)]


def test_the_release_says_which_versions_it_was_made_with(rebuilt):
    query = "select version, is_loaded, loaded_from, n_codes, n_codes_recorded, n_definitions from {} where codelist_id = '{}'"
    version = "marts_direct_care.codelist_version"
    assert rebuilt.query(query.format(version, "snomed_unpaid_carer")) == [("2026", True, "own.csv", 2, 1, 1)]
    ((shipped, is_loaded, loaded_from, *_),) = rebuilt.query(query.format(version, "snomed_asthma"))
    assert (shipped, is_loaded, loaded_from) == ("2025-06", False, None)


def test_a_code_is_either_listed_or_unmapped(rebuilt):
    assert rebuilt.query("select count(*) from registers.code_use where is_listed and not is_known") == [(0,)]
    both = "select count(*) from marts_direct_care.unmapped_code inner join marts_direct_care.codelist using (code_system, code)"
    assert rebuilt.query(both) == [(0,)]


def test_a_register_at_a_past_date_is_what_that_date_would_have_shown(warehouse, rebuilt):
    at_the_time = rebuilt.query(
        "select person_id, condition_code from registers.person_condition "
        "where is_active and condition_code <> 'unpaid_carer' order by all"
    )
    looking_back = warehouse.query(
        "select distinct person_id, condition_code from registers.condition_period "
        f"where (active_from is null or active_from <= '{PAST}') and (active_to is null or active_to >= '{PAST}') order by all"
    )
    assert looking_back
    assert at_the_time == looking_back
