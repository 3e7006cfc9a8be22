"""What holds for every model, read from the manifest: layers, purposes, descriptions, contracts."""

from __future__ import annotations

import re

import pytest
import yaml
from raw_zone import PROJECT

from orchestration.publishing.open_data import OPEN_DEFINITIONS, OPEN_TABLES

PURPOSES = {"direct_care", "secondary_use"}
OPEN = "open"
#: Purposes whose models a purpose may read: open data are counts of the people who may be counted for secondary use.
READS = {"direct_care": {"direct_care"}, "secondary_use": {"secondary_use"}, OPEN: {OPEN, "secondary_use"}}
NEVER_PUBLISHED = re.compile(
    r"nhs_number|record_token|postcode|address|uprn|given_name|family_name|birth_date|death_date|phone|email|local_id|_token$"
)


@pytest.fixture(scope="module")
def models(warehouse) -> list:
    return [node for node in warehouse.manifest.nodes.values() if node.resource_type == "model"]


def layer(node) -> str:
    """The first folder below models/ (or seeds, sources)."""
    return node.fqn[1] if node.resource_type == "model" else node.resource_type


def test_parse_gives_no_warning(warehouse):
    assert warehouse.parse_warnings == ()


def test_limits_are_given_when_the_database_is_opened():
    """Set by each connection, the spill folder stops every model after the first that spills."""
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["phm"]["outputs"]["warehouse"]
    assert "settings" not in profile
    assert {"memory_limit", "temp_directory", "max_temp_directory_size"} <= profile["config_options"].keys()


def test_sources_are_read_by_staging_only(models):
    outside = {m.name for m in models if layer(m) != "staging" and any(d.startswith("source.") for d in m.depends_on.nodes)}
    assert outside == set()


def test_a_mart_never_reads_staging_or_intermediate(warehouse, models):
    nodes = warehouse.manifest.nodes
    reached = {
        (m.name, nodes[d].name)
        for m in models
        if layer(m) == "marts"
        for d in m.depends_on.nodes
        if d.startswith("model.") and layer(nodes[d]) in ("staging", "intermediate")
    }
    assert reached == set()


def test_marts_are_views_of_what_the_rooms_hold(models):
    """Publishing makes tables of them, and a night that finds them standing does not make them again."""
    assert {m.name for m in models if layer(m) == "marts" and m.config.materialized != "view"} == set()


def test_no_view_holds_the_date_of_the_run_that_made_it(warehouse, states, models):
    """Views are made once for many nights."""
    project = warehouse.manifest.metadata.project_name
    compiled = warehouse.data_dir / "target" / "compiled" / project
    views = [m for m in models if m.config.materialized == "view"]
    dated = {m.name for m in views if re.search(r"'\d{4}-\d\d-\d\d'", (compiled / m.original_file_path).read_text())}
    assert dated == set()


def test_layers_point_one_way(warehouse, models):
    order = [
        "staging", "intermediate", "core", "registers", "scores", "care_gaps", "segments", "cohorts", "comparisons",
        "definitions", "marts",
    ]  # fmt: skip
    nodes = warehouse.manifest.nodes
    against = {
        (m.name, nodes[d].name)
        for m in models
        for d in m.depends_on.nodes
        if d.startswith("model.") and order.index(layer(nodes[d])) > order.index(layer(m))
    }
    assert against == set()


def test_every_model_states_its_purpose_and_reads_no_other(warehouse, models):
    nodes = warehouse.manifest.nodes
    for m in models:
        purpose = m.config.meta.get("purpose")
        assert purpose, f"{m.name} states no purpose"
        if layer(m) == "marts":
            assert purpose in READS, m.name
            assert m.fqn[2] == purpose, m.name
        other = {nodes[d].name for d in m.depends_on.nodes if d.startswith("model.")} & {
            n.name for n in models if n.config.meta.get("purpose") in READS.keys() - READS.get(purpose, set())
        }
        assert not other, f"{m.name} serves {purpose} and reads {other}"


def test_every_description_begins_with_the_grain(models):
    without = {m.name for m in models if not m.description.strip().startswith("One row per")}
    assert without == set()


def test_every_listed_column_is_described(models):
    without = {f"{m.name}.{c.name}" for m in models for c in m.columns.values() if not c.description.strip()}
    assert without == set()
    assert {m.name for m in models if not m.columns} == set(), "models without a column in their yml"


def test_no_model_reads_the_clock(models):
    clock = re.compile(r"current_date|current_timestamp|\bnow\(\)|\btoday\(\)", re.IGNORECASE)
    assert {m.name for m in models if clock.search(m.raw_code)} == set()


def test_marts_have_enforced_contracts_and_one_name_a_purpose(models):
    marts = [m for m in models if layer(m) == "marts"]
    assert all(m.config.contract.enforced for m in marts)
    names = {p: sorted(m.alias for m in marts if m.fqn[2] == p) for p in PURPOSES}
    assert names["direct_care"] == names["secondary_use"]
    assert all(m.name == f"{m.fqn[2]}__{m.alias}" for m in marts)


def test_open_data_are_the_tables_that_publishing_controls_and_hold_no_person(models):
    """A count that publishing does not know would leave as it is; a hidden one has its flag."""
    marts = {m.alias: set(m.columns) for m in models if layer(m) == "marts" and m.fqn[2] == OPEN}
    definitions = {name: marts.pop(name) for name in OPEN_DEFINITIONS}
    assert not any(name.startswith("n_") for columns in definitions.values() for name in columns)
    assert marts == {
        table.name: {"month_end", "area_type", "area_code", "parent_area_code", *table.dimensions}
        | {name for m in table.measures for name in (m.name, m.hidden_flag)}
        | {name for r in table.ratios for name in (r.name, f"is_{r.name}_hidden")}
        for table in OPEN_TABLES
    }


def test_open_definitions_are_made_of_knowledge_alone(warehouse, models):
    """They are published as they are, so nothing that a supplier sent may reach them."""
    nodes = warehouse.manifest.nodes
    waiting = [m.unique_id for m in models if m.alias in OPEN_DEFINITIONS and m.fqn[2] == OPEN]
    assert len(waiting) == len(OPEN_DEFINITIONS)
    reached = set()
    while waiting:
        key = waiting.pop()
        reached.add(key)
        waiting += set(nodes[key].depends_on.nodes if key in nodes and hasattr(nodes[key].depends_on, "nodes") else ()) - reached
    sources = {warehouse.manifest.sources[key].source_name for key in reached if key.startswith("source.")}
    assert sources <= {"codelist_library"}


def test_marts_hold_no_identifier(models):
    found = {f"{m.name}.{c}" for m in models if layer(m) == "marts" for c in m.columns if NEVER_PUBLISHED.search(c)}
    assert found == set()


def test_marts_hold_the_published_columns(models):
    """The public interface that other people depend on."""
    promised = {
        "person": "person_id birth_month sex ethnic_category_code ethnic_group lsoa_code imd_decile practice_code pcn_code "
        "place_code is_registered is_alive death_month n_sources",
        "person_condition": "person_id condition_code onset_date resolved_date is_active n_events sources first_code last_code",
        "person_segment": "person_id scheme month_end segment_code segment_name reason",
        "person_segment_flag": "person_id scheme month_end segment_code segment_name reason is_primary",
        "segment_movement": "scheme month_end from_segment to_segment n_people",
        "condition": "code name version description source owner",
        "segment": "code name version description source owner",
        "organisation": "organisation_code name type parent_code hierarchy valid_from valid_to",
        "person_activity_month": "person_id month_end setting n_contacts n_emergency cost_gbp",
        "data_quality_result": "run_id source table_name rule severity status n_rows n_failed",
        "source_coverage": "organisation_code source first_delivery last_delivery n_people onboarding_status is_fresh",
        "linkage_quality": "run_id as_of is_latest metric part source value",
        "linkage_equity": "characteristic group_name measure numerator denominator share share_low share_high reference_group "
        "ratio ratio_low ratio_high lowest_ratio is_breach",
        "linkage_headline_effect": "headline ethnic_group n_people n_known rate_per_1000 adjusted_rate_per_1000",
        "release": "release_id as_of built_at git_commit model_version n_people",
    }
    marts = {(m.fqn[2], m.alias): set(m.columns) for m in models if layer(m) == "marts"}
    for purpose in PURPOSES:
        for table, columns in promised.items():
            assert set(columns.split()) <= marts[purpose, table], f"{purpose}.{table}"


def test_every_mart_is_in_an_exposure(warehouse, models):
    exposed = {d for e in warehouse.manifest.exposures.values() for d in e.depends_on.nodes}
    assert {m.unique_id for m in models if layer(m) == "marts"} <= exposed
