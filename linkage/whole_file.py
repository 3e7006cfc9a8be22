"""Files that identify people: readable by their owner only, and there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600


@contextmanager
def written_privately(target: Path) -> Iterator[Path]:
    """An empty private file beside `target` to write into; it takes the place of `target` when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.writing")
    beside.unlink(missing_ok=True)
    os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    try:
        yield beside
        beside.chmod(PRIVATE)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
