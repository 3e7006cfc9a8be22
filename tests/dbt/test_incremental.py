"""A night that builds on the last gives the warehouse that a rebuild of everything gives, for every table of every source."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "schema",
    [
        "staging",
        "core",
        "registers",
        "scores",
        "care_gaps",
        "segments",
        "cohorts",
        "comparisons",
        "definitions",
        "marts_direct_care",
        "marts_secondary_use",
        "marts_open",
    ],
)
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
