"""dbt as a child process: its executable, its artefacts, and a manifest that is never older than the project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from orchestration.settings import Settings, without_secrets

MANIFEST = "manifest.json"


class DbtError(Exception):
    """dbt could not read the project; the message holds what it said."""


def dbt_executable() -> str:
    """The `dbt` beside the running interpreter: the environment need not be activated."""
    return str(Path(sys.executable).parent / "dbt")


def ensure_manifest(settings: Settings) -> Path:
    """Parse the dbt project unless its manifest is newer than every file of the project. Returns the manifest's path.

    Raises `DbtError` with dbt's own words when the project cannot be parsed.
    """
    manifest = settings.dbt_target_dir / MANIFEST
    if manifest.exists() and manifest.stat().st_mtime > _last_change(settings.dbt_project_dir):
        return manifest
    settings.dbt_target_dir.mkdir(parents=True, exist_ok=True)
    with without_secrets():
        result = subprocess.run(
            [dbt_executable(), "--quiet", "parse", "--profiles-dir", str(settings.dbt_project_dir)],
            cwd=settings.dbt_project_dir,
            env={**os.environ, "DBT_LOG_PATH": str(settings.dbt_target_dir), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        raise DbtError(f"dbt cannot parse {settings.dbt_project_dir}:\n{result.stdout.strip()}\n{result.stderr.strip()}")
    os.utime(manifest)
    return manifest


def _last_change(project: Path) -> float:
    """When a file that dbt reads last changed, seconds since the epoch."""
    files = (path for pattern in ("*.yml", "*.sql", "*.csv") for path in project.rglob(pattern) if "target" not in path.parts)
    return max(path.stat().st_mtime for path in files)
