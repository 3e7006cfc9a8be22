"""The sites of a release as the settings want them: for the night, for `phm pages`, and for its preview."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.pdf import find_chromium
from orchestration.publishing.release import Release, SiteBuilder
from orchestration.publishing.release import site_facts as facts_of
from orchestration.publishing.site import build_site
from orchestration.settings import Settings


@dataclass(frozen=True)
class BuiltSite:
    """One site that was built by hand: where, how many pages, and how long it took."""

    purpose: str
    folder: Path
    n_pages: int
    seconds: float


def site_builder(settings: Settings) -> SiteBuilder:
    """How sites are built here: with the boundaries and the browser that the settings name."""

    def build(database: Path, pages_dir: Path, output_dir: Path, facts: SiteFacts) -> Sequence[Path]:
        chromium = find_chromium() if settings.chromium is None else settings.chromium
        browser = None if chromium == "none" else Path(chromium) if chromium else None
        return build_site(database, pages_dir, output_dir, replace(facts, boundaries=settings.boundaries), chromium=browser)

    return build


def sites_of(settings: Settings, release: Release, purposes: Sequence[str]) -> Mapping[str, tuple[Path, SiteFacts]]:
    """Database and facts by purpose: of those that are named, or of all that the release has.

    Raises `ReleaseError` for one that it has not.
    """
    return {
        purpose: (
            release.part(purpose) / f"{purpose}.duckdb",
            replace(facts_of(release, purpose), boundaries=settings.boundaries),
        )
        for purpose in purposes or release.tables
    }


def rebuild_sites(
    settings: Settings, release: Release, purposes: Sequence[str], pages_dir: Path, output_dir: Path | None
) -> Iterator[BuiltSite]:
    """Build the sites of a release once more, each into `<purpose>/` of a folder of its own, where it replaces what was there.

    The release itself is not touched: what it published stays as it was read.
    """
    build = site_builder(settings)
    for purpose, (database, facts) in sites_of(settings, release, purposes).items():
        started = time.monotonic()
        folder = (output_dir or settings.sites_dir / release.release_id) / purpose
        beside = folder.with_name(f".building-{purpose}")
        shutil.rmtree(beside, ignore_errors=True)
        written = build(database, pages_dir, beside, facts)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
        yield BuiltSite(purpose, folder, len(written), time.monotonic() - started)
