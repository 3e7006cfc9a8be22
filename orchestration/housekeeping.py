"""What a warehouse that runs for years must not keep for ever: dbt's artefacts, logs, and one small file per check and night."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from linkage.sql import literal
from orchestration.audit_log import AuditError
from orchestration.duck import write_parquet
from orchestration.names_expiry import expire
from orchestration.settings import Settings

_SECONDS_A_DAY = 86_400
_MOST_RESULT_FILES = 300
_HISTORY = "history.parquet"


def tidy(settings: Settings) -> None:
    """Remove artefacts older than `keep_days`, expired lists with names, spill and what evaluations left that nobody will
    read; join the small files of check results."""
    with suppress(AuditError):  # a broken audit log is told by `phm doctor` and must not stop the night
        expire(settings, datetime.now(UTC).date())
    oldest = time.time() - settings.keep_days * _SECONDS_A_DAY
    for folder in settings.dbt_target_dir.glob("*/"):
        if folder.stat().st_mtime < oldest:
            shutil.rmtree(folder)
    for scratch in settings.evaluating_dir.glob("*/"):
        if scratch.stat().st_mtime < time.time() - _SECONDS_A_DAY:
            shutil.rmtree(scratch)
    for log in settings.log_dir.iterdir():
        if log.stat().st_mtime < oldest:
            log.unlink()
    for spill in settings.spill_dir.iterdir():
        shutil.rmtree(spill) if spill.is_dir() else spill.unlink()
    join_results(settings.operations_dir / "quality_result")


def join_results(folder: Path, most_files: int = _MOST_RESULT_FILES) -> None:
    """Join the files of `folder` into one when there are more than `most_files`.

    A kill between writing the joined file and removing the others leaves rows twice; the next call sees too many files again,
    and `distinct` makes them one.
    """
    for leftover in folder.glob(".*.writing"):
        leftover.unlink()
    files = sorted(folder.glob("*.parquet"))
    if len(files) <= most_files:
        return
    with duckdb.connect() as connection:
        rows = f"select distinct * from read_parquet({literal(folder / '*.parquet')}, union_by_name = true)"
        write_parquet(connection, rows, folder / _HISTORY)
    for file in files:
        if file.name != _HISTORY:
            file.unlink()
