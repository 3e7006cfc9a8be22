"""The check of purposes over the parsed project, with faults planted in it."""

from __future__ import annotations

import copy

import pytest
from raw_zone import PROJECT

from orchestration.landing.agreements import read_agreements
from orchestration.landing.contract import read_contracts
from orchestration.purposes import PurposeError, check_purposes, find_faults, read_allowed_columns

APPROVED = frozenset({"gp_emis", "gp_systmone", "acute_sus", "mental_health_mhsds"})


@pytest.fixture(scope="module")
def allowed():
    return read_allowed_columns(PROJECT / "seeds" / "governance" / "purpose_column.csv")


@pytest.fixture(scope="module")
def parsed(warehouse):
    return warehouse.manifest.to_dict(omit_none=False)


@pytest.fixture
def manifest(parsed):
    """The project's manifest, to plant a fault in."""
    return {
        "nodes": copy.deepcopy({k: v for k, v in parsed["nodes"].items() if v["resource_type"] == "model"}),
        "sources": parsed["sources"],
    }


def model(manifest, name):
    return manifest["nodes"][f"model.phm.{name}"]


def read_by(manifest, reader, read):
    model(manifest, reader)["depends_on"]["nodes"].append(f"model.phm.{read}")


def faults(manifest, allowed):
    return list(find_faults(manifest, allowed, APPROVED))


def test_the_project_keeps_to_its_purposes(manifest, allowed):
    assert faults(manifest, allowed) == []


def test_a_secondary_use_mart_that_reads_a_direct_care_mart_stops_the_build(manifest, allowed):
    read_by(manifest, "secondary_use__segment_movement", "direct_care__person")
    with pytest.raises(PurposeError) as told:
        check_purposes(manifest, allowed, APPROVED)
    assert "secondary_use__segment_movement serves secondary_use and reads direct_care__person, which serves direct_care" in str(
        told.value
    )


def test_a_warehouse_model_cannot_carry_a_mart_across(manifest, allowed):
    read_by(manifest, "person_segment", "direct_care__person")
    (fault,) = faults(manifest, allowed)
    assert "person_segment serves warehouse and reads direct_care__person" in fault


def test_people_come_into_a_mart_through_their_permission_only(manifest, allowed):
    read_by(manifest, "secondary_use__segment_movement", "person")
    (fault,) = faults(manifest, allowed)
    assert "reads the people of person, opted out or not; take them through macro for_purpose" in fault


def test_a_mart_takes_the_people_of_its_own_purpose(manifest, allowed):
    mart = model(manifest, "secondary_use__person")
    mart["raw_code"] = mart["raw_code"].replace("'secondary_use'", "'direct_care'")
    (fault,) = faults(manifest, allowed)
    assert "takes the people of direct_care; write for_purpose(..., 'secondary_use')" in fault


def test_counts_of_people_are_those_of_the_purpose(manifest, allowed):
    mart = model(manifest, "secondary_use__area_rate")
    mart["raw_code"] = mart["raw_code"].replace("'secondary_use'", "'direct_care'")
    (fault,) = faults(manifest, allowed)
    assert "secondary_use__area_rate serves secondary_use but takes the people of direct_care" in fault
    mart["raw_code"] = "select * from area_rate"
    mart["depends_on"]["macros"] = []
    (fault,) = faults(manifest, allowed)
    assert "reads area_rate, which counts the people of every purpose; take its own through macro counts_for_purpose" in fault


@pytest.mark.parametrize("column", ["record_token", "birth_date"])
def test_a_column_that_is_not_listed_for_the_purpose_stops_the_build(manifest, allowed, column):
    """Data minimisation: no practice-local token, a month of birth and no date."""
    model(manifest, "secondary_use__person")["columns"][column] = {"name": column}
    (fault,) = faults(manifest, allowed)
    assert f"secondary_use__person publishes column {column}, which secondary_use is not allowed" in fault


def test_a_model_without_a_known_purpose_stops_the_build(manifest, allowed):
    model(manifest, "person_segment")["config"]["meta"] = {"purpose": "curiosity"}
    assert any(
        "person_segment states the purpose 'curiosity'; set meta.purpose to one of" in fault
        for fault in faults(manifest, allowed)
    )


def test_risk_stratification_joins_no_source_that_its_approval_does_not_cover(manifest, allowed):
    """The approval covers GP, hospital and mental health data, not social care."""
    score = copy.deepcopy(model(manifest, "secondary_use__segment_movement"))
    score |= {
        "name": "score",
        "fqn": ["phm", "scores", "score"],
        "columns": {},
        "config": {"meta": {"purpose": "risk_stratification"}},
    }
    score["depends_on"] = {"macros": [], "nodes": ["model.phm.int_encounter__acute_sus"]}
    manifest["nodes"]["model.phm.score"] = score
    assert not [fault for fault in faults(manifest, allowed) if "does not cover" in fault]
    score["depends_on"]["nodes"].append("model.phm.care_package")
    assert [fault for fault in faults(manifest, allowed) if "score joins social_care_cld for risk stratification" in fault]


def test_the_demonstration_agrees_to_every_source_and_to_no_social_care_in_risk_stratification():
    contracts = read_contracts(PROJECT / "models" / "staging")
    agreements = read_agreements(PROJECT / "agreements" / "demonstration.csv", contracts, may_cover_any_source=True)
    needed = {name for name, source in contracts.items() if source.terms.legal_basis != "reference"}
    assert needed <= {row.source for row in agreements.rows}
    assert agreements.sources_for("risk_stratification") == APPROVED
