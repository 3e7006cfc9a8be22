"""A small synthetic place, loaded once with the commands that a person types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

PEOPLE = 400
BULK, DELTA = "2026-03-31", "2026-04-01"


@dataclass(frozen=True)
class Place:
    """A data directory, and `phm` over it."""

    data_dir: Path

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PHM_", "DBT_", "DAGSTER_"))}
        return inherited | {"PHM_DATA_DIR": str(self.data_dir), "COLUMNS": "200"}

    def phm(self, *arguments: str, driver: tuple[str, ...] = ("-m", "orchestration.cli")) -> subprocess.CompletedProcess[str]:
        """Run a `phm` command to its end; `driver` replaces the program by one that interferes."""
        command = [sys.executable, *driver, *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def query(self, sql: str, purpose: str = "direct_care", release: str = "current") -> list[tuple]:
        """Ask a release."""
        database = self.data_dir / "releases" / release / purpose / f"{purpose}.duckdb"
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @property
    def current(self) -> str | None:
        link = self.data_dir / "releases" / "current"
        return link.readlink().name if link.is_symlink() else None

    def last_report(self) -> dict:
        """What the last run kept of itself."""
        reports = sorted((self.data_dir / "warehouse" / "logs").glob("*.json"), key=lambda path: path.stat().st_mtime)
        return json.loads(reports[-1].read_text())

    def copy(self, target: Path) -> Place:
        """The same place in another directory."""
        shutil.copytree(self.data_dir, target, symlinks=True)
        return Place(target)

    def deliver(self, source: str, day: str, name: str, text: str) -> None:
        folder = self.data_dir / "landing" / source / day
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture(scope="session")
def delivered(tmp_path_factory) -> Place:
    """A place whose suppliers have delivered, with a key, and nothing loaded."""
    place = Place(tmp_path_factory.mktemp("delivered") / "data")
    made = place.phm("synth", "--people", str(PEOPLE), "--nights", "1", "--seed", "7")
    assert made.returncode == 0, made.stderr
    assert place.phm("keys", "create").returncode == 0
    return place


@pytest.fixture(scope="session")
def loaded(delivered, tmp_path_factory) -> Place:
    """The place after two undisturbed nights. Tests read it and do not change it."""
    place = delivered.copy(tmp_path_factory.mktemp("loaded") / "data")
    for day in (BULK, DELTA):
        ran = place.phm("run", "--as-of", day)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        (place.data_dir / f"said-{day}").write_text(ran.stdout)
    return place
