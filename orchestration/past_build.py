"""Models of the warehouse as of a past date, in a file of their own: the same SQL with another `as_of`, on the same events."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from orchestration.dbt import ensure_manifest, run_dbt
from orchestration.settings import Settings

#: What does not hang on the date is read where the last night left it.
_THE_SAME_ON_ANY_DATE = ("path:models/staging", "path:models/intermediate", "path:models/core/events")


@contextmanager
def built_as_of(settings: Settings, day: date, model: str) -> Iterator[Path]:
    """`model` and all that it is made from, as of `day`: the path of a DuckDB file that is gone when the block ends.

    Nobody may write the warehouse meanwhile: hold the run lock. Raises `DbtError` with dbt's own words when it fails.
    """
    database = settings.warehouse_dir / "past.duckdb"
    target = settings.dbt_target_dir / "past"
    the_night = ensure_manifest(settings).parent
    _remove(database, target)
    try:
        run_dbt(
            settings,
            f"The models as of {day} cannot be built",
            *("run", "--target", "past", "--defer", "--favor-state", "--state", str(the_night)),
            *("--select", f"+{model}", "--exclude", *_THE_SAME_ON_ANY_DATE),
            *("--vars", json.dumps({"as_of": day.isoformat()})),
            target_dir=target,
        )
        yield database
    finally:
        _remove(database, target)


def _remove(database: Path, target: Path) -> None:
    for path in (database, database.with_suffix(".duckdb.wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(target, ignore_errors=True)
