"""Files that are there whole or not at all: written beside their place, then put into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PRIVATE = 0o600


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """A path beside `target` to write to; what is there takes the place of `target` when the block ends well.

    Its name does not end as `target`'s does, so that no reader of the folder takes the unfinished file for data.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.writing")
    beside.unlink(missing_ok=True)
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def written_privately(target: Path) -> Iterator[Path]:
    """The same for a file that identifies people: an empty one, readable by its owner only from the beginning."""
    with written_whole(target) as beside:
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        yield beside
        beside.chmod(PRIVATE)
