"""What Dagster is told, against a golden file: a lost asset, dependency, check or schedule shows as a difference.

After a change that is meant, run this module as a script to write the file anew, and read the difference.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).with_name("definitions.json")

DESCRIBE = """
import json
import dagster as dg
from orchestration.definitions import defs

graph = defs.resolve_asset_graph()

def describe_asset(key):
    node = graph.get(key)
    return {
        "depends_on": sorted(parent.to_user_string() for parent in node.parent_keys),
        "group": node.group_name,
        "is_fresh_by": type(node.freshness_policy).__name__ if node.freshness_policy else None,
    }

checks = {check.to_user_string() if hasattr(check, "to_user_string") else f"{check.asset_key.to_user_string()}:{check.name}":
          graph.get_check_spec(check).blocking for check in graph.asset_check_keys}
repository = defs.get_repository_def()
print(json.dumps({
    "assets": {key.to_user_string(): describe_asset(key) for key in sorted(graph.get_all_asset_keys())},
    "blocking_checks": sorted(name for name, blocking in checks.items() if blocking),
    "other_checks": sorted(name for name, blocking in checks.items() if not blocking),
    "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
    "schedules": {s.name: [s.cron_schedule, s.execution_timezone, s.job_name, s.default_status.value]
                  for s in repository.schedule_defs},
    "sensors": {s.name: s.default_status.value for s in repository.sensor_defs},
    "executor": defs.executor.name,
}))
"""


def describe(data_dir: Path) -> dict:
    """The definitions of a production data directory, told by another process: they read the settings when they are imported."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PHM_", "DBT_"))}
    environment |= {"PHM_DATA_DIR": str(data_dir), "PHM_ENVIRONMENT": "production"}
    result = subprocess.run([sys.executable, "-c", DESCRIBE], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    return describe(tmp_path_factory.mktemp("definitions"))


@pytest.fixture(scope="module")
def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", ["assets", "blocking_checks", "other_checks", "jobs", "schedules", "sensors", "executor"])
def test_definitions_are_the_golden_ones(described, golden, part):
    assert described[part] == golden[part]


def test_lineage_runs_from_the_suppliers_delivery_to_the_release(described):
    assets = described["assets"]

    def upstream(key, seen):
        for parent in assets[key]["depends_on"]:
            if parent not in seen:
                seen.add(parent)
                upstream(parent, seen)
        return seen

    behind = upstream("releases/current", set())
    deliveries = {key for key in assets if key.startswith("delivery/")}
    assert deliveries <= behind
    assert {"linkage/person_record", "operations/delivery"} <= behind


def test_every_landed_table_the_index_and_the_marts_are_guarded(described):
    guarded = set(described["blocking_checks"])
    landed = {key for key, asset in described["assets"].items() if any(p.startswith("delivery/") for p in asset["depends_on"])}
    assert {f"{key}:contract" for key in landed} <= guarded
    assert "linkage/person_record:index" in guarded
    assert {
        f"marts_{purpose}/{purpose}__{table}:publishable"
        for purpose in ("direct_care", "secondary_use")
        for table in ("person", "person_segment", "linkage_equity")
    } <= guarded


def test_production_loads_by_itself_at_two_in_the_morning_in_london(described):
    assert described["schedules"]["nightly"] == ["0 2 * * *", "Europe/London", "nightly_load", "RUNNING"]
    assert described["schedules"]["weekly"] == ["0 6 * * 0", "Europe/London", "weekly_verification", "RUNNING"]
    assert described["sensors"]["delivery_arrived"] == "RUNNING"


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        GOLDEN.write_text(json.dumps(describe(Path(folder)), indent=1, sort_keys=True) + "\n", encoding="utf-8")
