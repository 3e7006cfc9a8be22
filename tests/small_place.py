"""A small synthetic place and the commands that a person types over it."""

from __future__ import annotations

import atexit
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import duckdb

REPOSITORY = Path(__file__).parents[1]
PEOPLE = 400
BULK, DELTA = "2026-03-31", "2026-04-01"


#: One page a site, which says how many rows its dictionary has.
FRONT_PAGE = """---
title: Release at a glance
description: One page.
---

```sql tables
select count(*) as n from marts.dictionary_table
```

{{ tables[0].n }} tables.
"""


@cache
def few_pages() -> Path:
    """A folder of pages with one page a site: hundreds of pages are most of what a night of a small place costs."""
    folder = Path(tempfile.mkdtemp(prefix="phm-pages-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for shipped in (REPOSITORY / "pages").glob("*.*"):
        shutil.copy(shipped, folder)
    for purpose in ("common", "open"):
        (folder / purpose).mkdir()
        (folder / purpose / "index.md").write_text(FRONT_PAGE, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Place:
    """A data directory, and `phm` over it."""

    data_dir: Path
    #: The checkout whose code runs.
    program: Path = REPOSITORY
    #: Further settings, by the names of their environment variables.
    settings: Mapping[str, str] = field(default_factory=dict)

    def with_settings(self, **settings: str) -> Place:
        """The same place, run with further settings."""
        return replace(self, settings={**self.settings, **settings})

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PHM_", "DBT_", "DAGSTER_"))}
        ours = {"PHM_DATA_DIR": str(self.data_dir), "PHM_CHROMIUM": "none", "COLUMNS": "200"}
        return inherited | ours | dict(self.settings)

    def phm(
        self, *arguments: str, driver: tuple[str, ...] = ("-m", "orchestration.cli"), largest_file: int = resource.RLIM_INFINITY
    ) -> subprocess.CompletedProcess[str]:
        """Run a `phm` command to its end. A night publishes a page a site, unless the settings name a folder of pages.

        `driver` replaces the program by one that interferes; no file may grow beyond `largest_file` bytes, which is as near to a
        full disk as a test can come.
        """
        return subprocess.run(
            [sys.executable, *driver, *arguments],
            cwd=self.program,
            env=({"PHM_PAGES_DIR": str(few_pages())} if "run" in arguments else {}) | self.environment,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY)),
        )

    def query(self, sql: str, purpose: str = "direct_care", release: str = "current") -> list[tuple]:
        """Ask a release."""
        database = self.data_dir / "releases" / release / purpose / f"{purpose}.duckdb"
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    @property
    def current(self) -> str | None:
        link = self.data_dir / "releases" / "current"
        return link.readlink().name if link.is_symlink() else None

    def last_report(self) -> dict:
        """What the last run kept of itself."""
        reports = sorted((self.data_dir / "warehouse" / "logs").glob("*.json"), key=lambda path: path.stat().st_mtime)
        return json.loads(reports[-1].read_text())

    def copy(self, target: Path) -> Place:
        """The same place in another directory."""
        shutil.copytree(self.data_dir, target, symlinks=True)
        return Place(target)

    def deliver(self, source: str, day: str, name: str, text: str) -> None:
        """Put one file into a delivery."""
        folder = self.data_dir / "landing" / source / day
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")

    def delivered_text(self, source: str, day: str, pattern: str) -> tuple[str, str]:
        """Name and text of one delivered file."""
        (path,) = (self.data_dir / "landing" / source / day).glob(pattern)
        return path.name, path.read_text(encoding="utf-8-sig")
