"""One run at a time: an advisory lock on a file that says who holds it, and that the system drops with the process."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

#: Locks held by this process: the command takes the lock before it pays for Dagster's imports, the run inside it takes it again.
_held: set[Path] = set()


@dataclass(frozen=True)
class Holder:
    """Who holds the lock."""

    pid: int
    host: str
    started: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, started {self.started} ({self.command})"


class RunLocked(Exception):
    """Another run holds the lock."""

    def __init__(self, holder: Holder | None) -> None:
        self.holder = holder
        who = str(holder) if holder else "another process that has not yet said who it is"
        super().__init__(f"Another run is under way: {who}. Wait for it to end, or stop that process, and run again.")


def is_held_here(path: Path) -> bool:
    """True when this process holds the lock."""
    return path in _held


@contextmanager
def run_lock(path: Path, command: str) -> Iterator[None]:
    """Hold the lock for the block; entering again in the same process is allowed.

    Raises `RunLocked` at once, naming the holder, when another process has it.
    """
    if is_held_here(path):
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunLocked(read_holder(path)) from error
        _write_holder(file.fileno(), command)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
            os.ftruncate(file.fileno(), 0)


def _write_holder(descriptor: int, command: str) -> None:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    holder = Holder(pid=os.getpid(), host=socket.gethostname(), started=started, command=command)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, json.dumps(asdict(holder)).encode())


def read_holder(path: Path) -> Holder | None:
    """What the lock file says about its holder; None when it says nothing. It may be left over: see `lock_holder`."""
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def lock_holder(path: Path) -> Holder | None:
    """Who holds the lock now, without taking it; None when it is free."""
    if not path.exists():
        return None
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return read_holder(path) or Holder(0, "unknown", "unknown", "unknown")
    return None
