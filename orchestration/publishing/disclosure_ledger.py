"""What was ever published as open data: the rows as people saw them, kept after their release is gone.

One Parquet file per table and release that published a period of it for the first time. A file is pending until its release
stands, so a run that is killed leaves no memory of what nobody saw; publishing again adds nothing. The folder is for the load
alone: it holds nothing that was not public, but a reader who could change it could have something hidden shown.
"""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from orchestration.publishing.disclosure import Policy
from orchestration.publishing.pending import is_pending, keep_pending, pending_file, settle_pending

#: Columns of a file beside those of its table: who published, and under which policy.
LEDGER_COLUMNS = ("release_id", "policy_code", "hidden_to", "round_base")


class DisclosureLedger:
    """The ledger in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def published(self, table: str) -> pl.DataFrame | None:
        """Every row of `table` that was ever published, with `LEDGER_COLUMNS`; None before the first."""
        files = sorted(path for path in self._folder.glob(f"{table}/*.parquet") if not is_pending(path))
        return pl.concat([pl.read_parquet(path) for path in files], how="diagonal") if files else None

    @staticmethod
    def marked(rows: pl.DataFrame, release_id: str, policy: Policy) -> pl.DataFrame:
        """Rows with `LEDGER_COLUMNS`: who published them, and what a figure of them means."""
        return rows.with_columns(
            release_id=pl.lit(release_id),
            policy_code=pl.lit(policy.code),
            hidden_to=pl.lit(policy.hidden_to),
            round_base=pl.lit(policy.round_base),
        )

    def add(self, release_id: str, policy: Policy, table: str, rows: pl.DataFrame) -> None:
        """Write down rows that release `release_id` is about to publish for the first time."""
        folder = self._folder / table
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = pending_file(folder, release_id)
        beside = path.with_suffix(".writing")
        self.marked(rows, release_id, policy).write_parquet(beside)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        beside.replace(path)

    def keep(self, release_id: str) -> None:
        """The release stands: what it published is published."""
        for folder in self._folder.glob("*"):
            path = pending_file(folder, release_id)
            if path.exists():
                keep_pending(path)

    def recover(self, releases_dir: Path) -> None:
        """Settle what a killed run left pending: kept when its release stands, forgotten when it does not."""
        for path in self._folder.glob("*/*.writing"):
            path.unlink()
        settle_pending(self._folder.glob("*/*.parquet"), releases_dir)
