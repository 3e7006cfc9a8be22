"""Files that tell of a release: pending until it stands, so that a killed run leaves no word of what nobody saw."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_MARK = ".pending"


def pending_file(folder: Path, release_id: str) -> Path:
    """Where the file of a release that does not stand yet is written."""
    return folder / f"{release_id}{_MARK}.parquet"


def is_pending(path: Path) -> bool:
    """Whether the release of a file does not stand yet."""
    return path.name.endswith(f"{_MARK}.parquet")


def keep_pending(path: Path) -> None:
    """The release stands: its file takes its name."""
    path.rename(path.with_name(f"{_release_id(path)}.parquet"))


def settle_pending(files: Iterable[Path], releases_dir: Path) -> None:
    """Keep each pending file whose release stands and remove those whose release does not; other files stay as they are."""
    for path in filter(is_pending, list(files)):
        if (releases_dir / _release_id(path)).exists():
            keep_pending(path)
        else:
            path.unlink()


def _release_id(path: Path) -> str:
    return path.name.removesuffix(f"{_MARK}.parquet")
