"""What a run did, kept as JSON beside its log: `phm status` and `make bench` read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write_report(log_dir: Path, run_id: str, report: dict[str, Any]) -> Path:
    """Write `<run id>.json`."""
    path = log_dir / f"{run_id}.json"
    path.write_text(json.dumps(report, indent=2, default=str) + "\n", encoding="utf-8")
    return path


def latest_report(log_dir: Path) -> dict[str, Any] | None:
    """The report of the run that ended last; None before the first."""
    reports = sorted(log_dir.glob("*.json"), key=lambda path: path.stat().st_mtime)
    return json.loads(reports[-1].read_text(encoding="utf-8")) if reports else None
