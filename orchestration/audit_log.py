"""An append-only log in which every line seals all lines before it.

One JSON object a line, in the identifiable zone (mode 0600). `hash` is SHA-256 over the hash of the line before and the line's
own facts, so no line can be changed, taken out or put in without breaking the chain from there on. The last hash also stands in
a file beside the log, so that lines cannot be cut off its end; whoever keeps a copy of that hash elsewhere (every request prints
one) sees it even when both files were replaced.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from linkage.whole_file import PRIVATE, written_privately

_BEFORE_THE_FIRST = "0" * 64


class AuditError(Exception):
    """The log is not what was written; the message says where."""


@dataclass(frozen=True)
class Head:
    """The end of the log: how many lines it has, and the hash of the last."""

    n_entries: int
    hash: str

    def __str__(self) -> str:
        return f"{self.n_entries}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Read what `str` wrote. Raises `AuditError` for anything else."""
        number, _, digest = text.strip().partition(":")
        if not number.isdecimal() or len(digest) != len(_BEFORE_THE_FIRST):
            raise AuditError(
                f"{text.strip()!r} is not the head of an audit log, a number and a hash as `phm audit verify` prints them"
            )
        return cls(int(number), digest)


class AuditLog:
    """The log at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head_path = path.with_suffix(".head")

    def append(self, event: str, **facts: Any) -> Head:
        """Write one line for good before returning, and give the new head.

        Raises `AuditError` when the log no longer ends where it ended: nothing may be done that cannot be logged.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            head = self._settled_head(file)
            entry = {"seq": head.n_entries + 1, "at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, **facts}
            digest = _seal(head.hash, entry)
            file.write(_line(entry, digest))
            os.fsync(file.fileno())
            return self._keep_head(Head(head.n_entries + 1, digest))

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every line, oldest first, each checked against all before it. Raises `AuditError` at the first that does not fit."""
        if not self.path.exists():
            return
        before = _BEFORE_THE_FIRST
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                entry, digest = _opened(line)
                if entry.get("seq") != number or _seal(before, entry) != digest or _line(entry, digest) != line:
                    raise AuditError(f"{self.path}, line {number}: a line up to here was changed, cut short, taken out or put in")
                before = digest
                yield {**entry, "hash": digest}

    def verify(self, known: Head | None = None) -> Head:
        """Check every line, the end, and that the log still holds `known`, a head that somebody kept. Gives the head.

        Raises `AuditError` saying what does not fit.
        """
        found, holds_known = Head(0, _BEFORE_THE_FIRST), known is None or known.n_entries == 0
        for entry in self.entries():
            found = Head(entry["seq"], entry["hash"])
            holds_known = holds_known or found == known
        if found != self._kept_head():
            raise AuditError(f"{self.path} ends after line {found.n_entries}, and {self._head_path.name} says that it should not")
        if not holds_known:
            raise AuditError(f"{self.path} does not hold the line {known}: the log was replaced or cut off")
        return found

    def _settled_head(self, file: Any) -> Head:
        """The head to go on from, after what a kill left between a line and the note of it: half a line, or a line not noted."""
        head = self._kept_head()
        *lines, fragment = file.read().split(b"\n")
        if fragment:
            file.truncate(file.seek(0, os.SEEK_END) - len(fragment))
        last = _opened(lines[-1]) if lines else ({}, _BEFORE_THE_FIRST)
        if last == (last[0], head.hash) and len(lines) == head.n_entries:
            return head
        if len(lines) == head.n_entries + 1 and last[1] == _seal(head.hash, last[0]):
            return self._keep_head(Head(len(lines), last[1]))
        raise AuditError(f"{self.path} does not end where it ended, so nothing more is logged; see `phm audit verify`")

    def _kept_head(self) -> Head:
        return Head.parse(self._head_path.read_text("ascii")) if self._head_path.exists() else Head(0, _BEFORE_THE_FIRST)

    def _keep_head(self, head: Head) -> Head:
        with written_privately(self._head_path) as beside:
            beside.write_text(f"{head}\n", "ascii")
        return head


def _seal(before: str, entry: dict[str, Any]) -> str:
    text = json.dumps(entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()


def _line(entry: dict[str, Any], digest: str) -> bytes:
    return (json.dumps({**entry, "hash": digest}, ensure_ascii=False) + "\n").encode()


def _opened(line: bytes) -> tuple[dict[str, Any], str]:
    """A line's facts and its hash; nothing of either when it is no line of this log."""
    try:
        entry = json.loads(line)
        return entry, entry.pop("hash")
    except (ValueError, KeyError, AttributeError, TypeError):
        return {}, ""
