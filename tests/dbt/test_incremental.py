"""A night that builds on the last gives the warehouse that a rebuild of everything gives, for every table of every source."""

from __future__ import annotations

import pytest
from dbt_warehouse import Warehouse
from raw_zone import write_empty, write_index, write_load

#: Loads that a row remembers: how it came about, which a rebuild cannot know.
LOADS = {"_changed_seq", "_load_seq"}


@pytest.fixture(scope="module")
def states(warehouse) -> tuple[dict[str, list], dict[str, list]]:
    """Rows of every table after two loads, built one after the other, and rebuilt from nothing."""
    raw_dir = warehouse.data_dir / "raw"
    write_empty(raw_dir)
    write_index(raw_dir)
    write_load(raw_dir, 1)
    warehouse.invoke("seed")
    warehouse.invoke("run")
    write_load(raw_dir, 2)
    warehouse.invoke("run")
    nightly = rows(warehouse)
    warehouse.invoke("run", "--full-refresh")
    return nightly, rows(warehouse)


def rows(warehouse: Warehouse) -> dict[str, list]:
    """Every row that stands of every table, by `schema.table`, without what only tells how it came about."""
    found = {}
    for node in warehouse.manifest.nodes.values():
        if node.resource_type != "model" or node.config.materialized not in ("table", "incremental"):
            continue
        table = f"{node.schema}.{node.alias}"
        names = {row[0] for row in warehouse.query(f"select column_name from (describe {table})")}
        kept = ", ".join(sorted(names - LOADS))
        standing = "where not is_deleted" if "is_deleted" in names else ""
        found[table] = warehouse.query(f"select {kept} from {table} {standing} order by all")
    return found


@pytest.mark.parametrize("schema", ["staging", "core", "registers", "segments", "marts_direct_care", "marts_secondary_use"])
def test_a_night_leaves_what_a_rebuild_gives(states, schema):
    nightly, rebuilt = states
    tables = [table for table in rebuilt if table.startswith(f"{schema}.")]
    assert tables
    # the coverage tells which loads last changed something
    for table in tables:
        if not table.endswith(".source_coverage"):
            assert nightly[table] == rebuilt[table], table


def test_the_tiny_place_has_events_of_every_kind(states):
    _, rebuilt = states
    empty = {
        table
        for table in ("condition_event", "observation", "medication", "encounter", "care_package", "housing_status")
        if not rebuilt[f"core.{table}"]
    }
    assert empty == set()
