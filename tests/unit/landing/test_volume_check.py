"""How much arrived is judged against the full load that held the same window before, and only when there was one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from landing_place import HEADER, people, write_contract

from orchestration.landing.contract import Source
from orchestration.landing_step import land
from orchestration.quality import check_landed
from orchestration.settings import Settings
from orchestration.zones import create_key, prepare_zones


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(data_dir=tmp_path / "data", environment="demo")
    prepare_zones(settings)
    create_key(settings)
    return settings


def volume_after(settings: Settings, source: Source, day: str, n_people: int) -> dict[str, str]:
    """Land `n_people` rows on a day; the status of each volume rule that was asked."""
    folder = settings.landing_dir / source.name / day
    folder.mkdir(parents=True)
    rows = b"".join(b"%d,Smith,1980-01-01,2026-01-01,1\n" % number for number in range(n_people))
    (folder / "people.csv").write_bytes(HEADER + rows)
    as_of = date.fromisoformat(day)
    land(settings, source, "run", as_of, None)
    findings = check_landed(settings, source, "run", as_of)["people"]
    return {finding.rule: finding.status for finding in findings if finding.rule.startswith("volume_")}


def test_a_full_load_that_lost_more_than_half_of_its_rows_fails(settings: Settings, tmp_path: Path) -> None:
    source = write_contract(tmp_path / "_clinic__sources.yml", [people()])
    assert volume_after(settings, source, "2026-03-01", 300) == {}
    assert volume_after(settings, source, "2026-03-02", 290) == {"volume_not_halved": "pass", "volume_not_tripled": "pass"}
    assert volume_after(settings, source, "2026-03-03", 100)["volume_not_halved"] == "fail"


def test_a_delta_is_not_judged_by_its_size(settings: Settings, tmp_path: Path) -> None:
    source = write_contract(tmp_path / "_clinic__sources.yml", [people(mode="delta")])
    assert volume_after(settings, source, "2026-03-01", 300) == {}
    assert volume_after(settings, source, "2026-03-02", 10) == {}
