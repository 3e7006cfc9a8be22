"""A run that is killed leaves its child behind: dbt is written down while it runs, and the next run ends it first."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_WAIT_SECONDS = 30


@contextmanager
def remembered(path: Path, pid: int) -> Iterator[None]:
    """Keep a child process's identity in `path` while the block runs."""
    facts = {"pid": pid, "started": psutil.Process(pid).create_time(), "host": socket.gethostname()}
    path.write_text(json.dumps(facts), encoding="utf-8")
    yield
    path.unlink(missing_ok=True)


def end_orphan(path: Path) -> bool:
    """End the process that `path` remembers, if it still runs on this machine; True when there was one to end."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        process = psutil.Process(facts["pid"])
        is_it = process.create_time() == facts["started"] and facts["host"] == socket.gethostname()
    except (FileNotFoundError, ValueError, KeyError, psutil.NoSuchProcess):
        is_it = False
    if is_it:
        process.kill()
        process.wait(_WAIT_SECONDS)
    path.unlink(missing_ok=True)
    return is_it
