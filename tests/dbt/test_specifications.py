"""What the project says of itself holds: the unit tests that specify its models, and the rules of its seeds.

The nightly load runs neither: both are about files of the project, which no delivery changes.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("states")  # dbt asks the built tables for their columns


def test_every_model_does_what_its_specification_says(warehouse):
    results = warehouse.invoke("test", "--select", "test_type:unit").results
    assert len(results) == len(warehouse.manifest.unit_tests)


def test_seeds_keep_their_own_rules(warehouse):
    tested = {result.node.name for result in warehouse.invoke("test", "--select", "path:seeds,resource_type:test").results}
    assert {"unique_register_rule_condition_code", "not_null_segment_precedence_rank"} <= tested
