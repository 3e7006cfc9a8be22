"""Lists with names do not outlive their day."""

from __future__ import annotations

from datetime import date

from orchestration.audit_log import AuditLog
from orchestration.settings import Settings


def expire(settings: Settings, today: date) -> int:
    """Destroy the lists of `phm reidentify` whose day has passed, then say so in the audit log. Gives how many.

    Raises `AuditError` when that cannot be logged; the lists are gone all the same.
    """
    past = [path for path in sorted(settings.reidentified_dir.glob("*/*.csv")) if date.fromisoformat(path.name[:10]) < today]
    for path in past:
        path.unlink()
    if past:
        requests = [path.stem.partition("_")[2] for path in past]
        AuditLog(settings.audit_path).append("expire", request_ids=requests)
    return len(past)
