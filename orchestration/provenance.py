"""Which version of the code is running."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git_commit(project_dir: Path) -> str | None:
    """The commit checked out in `project_dir`, with `+changes` when files differ from it; None outside a git checkout."""
    commit = _git(project_dir, "rev-parse", "HEAD")
    if commit is None:
        return None
    return f"{commit}+changes" if _git(project_dir, "status", "--porcelain", "--untracked-files=no") else commit


def _git(project_dir: Path, *arguments: str) -> str | None:
    command = ["git", "--no-optional-locks", "-C", os.fspath(project_dir), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
