"""dbt as a child process: its executable, its artefacts, and a manifest that is never older than the project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.governance import load_agreements
from orchestration.landing.agreements import AgreementError
from orchestration.purposes import check_purposes, read_allowed_columns
from orchestration.settings import Settings, without_secrets

MANIFEST = "manifest.json"
_ALLOWED_COLUMNS = "seeds/governance/purpose_column.csv"
PARSED = "partial_parse.msgpack"
#: Beside the manifest, while what does not change from night to night stands in the warehouse: which manifest it was made from.
_STANDS = "stands"


class DbtError(Exception):
    """dbt could not read the project; the message holds what it said."""


def dbt_executable() -> str:
    """The `dbt` beside the running interpreter: the environment need not be activated."""
    return str(Path(sys.executable).parent / "dbt")


def dbt_child_executable() -> str:
    """The `phm-dbt` beside the running interpreter: dbt that is given the parsed project."""
    return str(Path(sys.executable).parent / "phm-dbt")


def ensure_manifest(settings: Settings) -> Path:
    """Parse the dbt project unless its manifest is newer than every file of the project, and check that every model keeps to its
    purpose. Returns the manifest's path.

    The parsed project lies beside it (`PARSED`).

    Raises `DbtError` with dbt's own words when the project cannot be parsed, `PurposeError` when a model reaches what its purpose
    may not see.
    """
    allowed = read_allowed_columns(settings.dbt_project_dir / _ALLOWED_COLUMNS)
    manifest = _parsed_manifest(settings)
    check_purposes(json.loads(manifest.read_text(encoding="utf-8")), allowed, _approved_sources(settings))
    return manifest


def _approved_sources(settings: Settings) -> frozenset[str]:
    """Sources approved for risk stratification; none where the agreements cannot be read, which every run tells first."""
    try:
        return load_agreements(settings).sources_for("risk_stratification")
    except AgreementError:
        return frozenset()


def _parsed_manifest(settings: Settings) -> Path:
    manifest = settings.dbt_target_dir / MANIFEST
    if manifest.exists() and manifest.stat().st_mtime > _last_change(settings.dbt_project_dir):
        return manifest
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    run_dbt(settings, f"dbt cannot parse {settings.dbt_project_dir}", "--no-partial-parse", "parse")
    os.utime(manifest)
    return manifest


@contextmanager
def standing(settings: Settings, *, anew: bool = False) -> Iterator[bool]:
    """Around a build of the warehouse: True when its views and seeds stand as the project has them and need no making, unless all
    is to be made `anew`.

    Both follow from the project alone: no view holds the date of a run. Whatever ends the block early makes them anew next time.
    """
    path = settings.dbt_target_dir / _STANDS
    made_from = str((settings.dbt_target_dir / MANIFEST).stat().st_mtime_ns)
    stands = not anew and path.exists() and settings.build_database.exists() and path.read_text(encoding="ascii") == made_from
    path.unlink(missing_ok=True)
    yield stands
    path.write_text(made_from, encoding="ascii")


def run_dbt(settings: Settings, trouble: str, *arguments: str, target_dir: Path | None = None) -> None:
    """Run a dbt command in a child process. Its artefacts and log go to `target_dir`, else to where a night has them.

    Raises `DbtError`, which begins with `trouble`, with dbt's own words when it fails.
    """
    target = target_dir or settings.dbt_target_dir
    paths = {"DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)}
    with without_secrets():
        result = subprocess.run(
            [dbt_executable(), "--quiet", *arguments, "--profiles-dir", str(settings.dbt_project_dir)],
            cwd=settings.dbt_project_dir,
            env={**os.environ, **paths, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        raise DbtError(f"{trouble}:\n{result.stdout.strip()}\n{result.stderr.strip()}")


def _last_change(project: Path) -> float:
    """When a file that dbt reads last changed, seconds since the epoch."""
    files = (path for pattern in ("*.yml", "*.sql", "*.csv") for path in project.rglob(pattern) if "target" not in path.parts)
    return max(path.stat().st_mtime for path in files)
