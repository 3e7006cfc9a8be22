"""Models of the warehouse as of a past date, in a file of their own: the same SQL with another `as_of`, on the same events."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from orchestration.dbt import MANIFEST, DbtError, dbt_executable, ensure_manifest
from orchestration.settings import Settings, without_secrets

#: What does not hang on the date is read where the last night left it.
_THE_SAME_ON_ANY_DATE = ("path:models/staging", "path:models/intermediate", "path:models/core/events")


@contextmanager
def built_as_of(settings: Settings, day: date, model: str) -> Iterator[Path]:
    """`model` and all that it is made from, as of `day`: the path of a DuckDB file that is gone when the block ends.

    Nobody may write the warehouse meanwhile: hold the run lock. Raises `DbtError` with dbt's own words when it fails.
    """
    database = settings.warehouse_dir / "past.duckdb"
    target = settings.dbt_target_dir / "past"
    state = ensure_manifest(settings).with_name("state")
    _remove(database, target, state)
    try:
        state.mkdir()
        shutil.copyfile(settings.dbt_target_dir / MANIFEST, state / MANIFEST)
        _run(settings, day, model, target, state)
        yield database
    finally:
        _remove(database, target, state)


def _run(settings: Settings, day: date, model: str, target: Path, state: Path) -> None:
    arguments = ["--quiet", "run", "--target", "past", "--defer", "--favor-state", "--state", str(state)]
    arguments += ["--select", f"+{model}", "--exclude", *_THE_SAME_ON_ANY_DATE]
    arguments += ["--vars", json.dumps({"as_of": day.isoformat()})]
    arguments += ["--profiles-dir", str(settings.dbt_project_dir), "--target-path", str(target)]
    with without_secrets():
        result = subprocess.run(
            [dbt_executable(), *arguments],
            cwd=settings.dbt_project_dir,
            env={**os.environ, "DBT_LOG_PATH": str(target), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode != 0:
        raise DbtError(f"The models as of {day} cannot be built:\n{result.stdout.strip()}\n{result.stderr.strip()}")


def _remove(database: Path, *folders: Path) -> None:
    for path in (database, database.with_suffix(".duckdb.wal")):
        path.unlink(missing_ok=True)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
