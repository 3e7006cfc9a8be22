"""The sites of a release as the settings want them: for the night, for `phm pages`, and for its preview."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.pdf import find_chromium
from orchestration.publishing.release import OPEN, PURPOSES, Release, ReleaseError, SiteBuilder, current_release, list_releases
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


def find_release(settings: Settings, release_id: str | None) -> Release:
    """The release of that id, or the one being served. Raises `ReleaseError` when there is none."""
    if release_id is None:
        release = current_release(settings.releases_dir)
        if release is None:
            raise ReleaseError("There is no release yet: run `phm demo` or `phm run` first.")
        return release
    known = {release.release_id: release for release in list_releases(settings.releases_dir)}
    if release_id not in known:
        raise ReleaseError(f"There is no release {release_id!r}; the releases are: {', '.join(known) or 'none'}.")
    return known[release_id]


def sites_of(settings: Settings, release: Release, purposes: Sequence[str]) -> Mapping[str, tuple[Path, SiteFacts]]:
    """Database and facts by purpose: of those that are named, or of all that the release has.

    Raises `ReleaseError` for one that it has not.
    """
    known = [*PURPOSES, OPEN]
    if unknown := [purpose for purpose in purposes if purpose not in known]:
        raise ReleaseError(f"There is no purpose {unknown[0]!r}; the purposes are {', '.join(known)}.")
    chosen = purposes or [purpose for purpose in known if purpose in release.tables]
    return {
        purpose: (
            release.path / purpose / f"{purpose}.duckdb",
            replace(facts_of(release, purpose), boundaries=settings.boundaries),
        )
        for purpose in chosen
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
