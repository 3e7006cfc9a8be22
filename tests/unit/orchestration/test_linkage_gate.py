"""A gap in linkage beyond its limit stops the release, and says whose it is; the verdict of the weekly verification in words."""

from __future__ import annotations

import datetime

import dagster as dg
import duckdb
import pytest

from linkage.verify import Verification
from orchestration import quality
from orchestration.defs.checks import check_result
from orchestration.landing.operations import write_operations
from orchestration.publishing.release import PURPOSES
from orchestration.settings import Settings
from orchestration.verification import said


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A build database with the marts that are checked before a release, `gap` saying whether a group is left behind."""
    monkeypatch.delenv("PHM_DATA_DIR", raising=False)

    def build(gap: bool) -> Settings:
        settings = Settings(data_dir=tmp_path / str(gap))
        settings.warehouse_dir.mkdir(parents=True)
        with duckdb.connect(str(settings.build_database)) as connection:
            connection.execute(f"""
                create schema core;
                create table core.condition_event as select 'x' as code;
                create table core.person_record as select 1 as person_id, 'gp_emis' as source;
                create table core.person_permission as select 1 as person_id, false as has_type_1_dissent;
                create table core.linkage_equity as
                select 'ethnic_group' as characteristic, 'Black' as group_name, 'missed_share' as measure, {gap} as is_breach
                union all
                select 'ethnic_group', 'White', 'missed_share', false""")
            for schema in PURPOSES.values():
                connection.execute(f"""
                    create schema {schema};
                    create view {schema}.linkage_equity as select * from core.linkage_equity;
                    create table {schema}.person as
                    select 1 as person_id, 5 as imd_decile, date '1980-01-01' as birth_month, null::date as death_month,
                        'A' as ethnic_category_code;
                    create table {schema}.person_segment as
                    select 1 as person_id, 's' as scheme, date '2026-03-31' as month_end, 'healthy' as segment_code""")
        for table in ("purpose_state", "sharing_agreement"):
            write_operations(settings.raw_dir, table, [])
        return settings

    return build


def _checked(settings: Settings, purpose: str) -> dg.AssetCheckResult:
    findings = quality.check_marts(settings, "run", datetime.date(2026, 4, 1))
    spec = dg.AssetCheckSpec("publishable", asset=[PURPOSES[purpose], f"{purpose}__linkage_equity"], blocking=True)
    return check_result(spec, findings[".".join(spec.asset_key.path)])


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_group_left_behind_blocks_and_is_named(build, purpose):
    stopped = _checked(build(True), purpose)
    assert not stopped.passed
    assert stopped.severity == dg.AssetCheckSeverity.ERROR
    assert any("missed share of ethnic group 'Black'" in name for name in stopped.metadata)


def test_groups_served_alike_block_nothing(build):
    assert _checked(build(False), "direct_care").passed


def test_marts_with_rules_are_those_that_dagster_waits_for():
    assert all(quality.has_mart_rules(schema, f"{purpose}__linkage_equity") for purpose, schema in PURPOSES.items())


@pytest.mark.parametrize(
    ("found", "is_sound", "words"),
    [
        (Verification("r", 10_000, 0, 50, 0, 0, 0, 0.0), True, "every pair, weight and person"),
        (Verification("r", 10_000, 10, 50, 0, 0, 0, 0.0), True, "within the limit: 10 of 10,000 records"),
        (Verification("r", 10_000, 11, 50, 0, 0, 0, 0.0), False, "11 of 10,000 records"),
        (Verification("r", 10_000, 0, 50, 0, 0, 1, 0.000001), False, "1 have another weight (by 0.000001 bits at most)"),
        (Verification("r", 10_000, 0, 50, 2, 0, 0, 0.0), False, "2 are missing"),
        (Verification("r", 0, 0, 0, 0, 0, 0, 0.0), True, "every pair"),
    ],
)
def test_the_verdict_of_the_shadow_run(found, is_sound, words):
    assert found.is_sound == is_sound
    assert words in said(found)
