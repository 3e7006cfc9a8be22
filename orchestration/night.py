"""The frame around every run: one at a time, in prepared zones, with the right key, after what a killed run left is tidied."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from orchestration.governance import load_agreements
from orchestration.housekeeping import tidy
from orchestration.key_rotation import settle
from orchestration.landing.files import find_deliveries
from orchestration.landing_step import recover_landing
from orchestration.orphans import end_orphan
from orchestration.publishing import release
from orchestration.publishing.disclosure_ledger import DisclosureLedger
from orchestration.run_lock import is_held_here, run_lock
from orchestration.settings import Settings, SettingsError
from orchestration.zones import check_key_is_the_same, claim, prepare_zones

TIMEZONE = ZoneInfo("Europe/London")


@contextmanager
def open_night(settings: Settings, command: str) -> Iterator[None]:
    """Hold the run lock over a data directory that is fit to be loaded.

    A command opens the night before it pays for Dagster's imports; opened again by the run inside it, it is open already.

    Raises `RunLocked` when another run is under way, `SettingsError` when the directory, its environment or its key is unusable,
    `AgreementError` when the sharing agreements are.
    """
    if is_held_here(settings.lock_path):
        yield
        return
    environment = settings.require_environment()
    settings.require_key()
    prepare_zones(settings)
    with run_lock(settings.lock_path, command):
        claim(settings, environment)
        settle(settings)
        key = settings.require_key()
        check_key_is_the_same(settings, key)
        load_agreements(settings)
        end_orphan(settings.child_path)
        recover_landing(settings)
        release.recover(
            settings.releases_dir,
            [settings.operations_dir / "release", settings.operations_dir / "cohort_member"],
            DisclosureLedger(settings.disclosure_dir),
        )
        tidy(settings)
        yield


def resolve_as_of(settings: Settings, requested: str | None) -> date:
    """The run's date: the one asked for, else PHM_AS_OF, else today in London.

    A demonstration's clock stands at its last delivery. Raises `SettingsError` when `requested` is not an ISO date.
    """
    if requested:
        return parse_date(requested)
    if settings.as_of:
        return settings.as_of
    if settings.require_environment() == "demo" and (dates := delivery_dates(settings.landing_dir)):
        return dates[-1]
    return datetime.now(TIMEZONE).date()


def parse_date(text: str) -> date:
    """An ISO date. Raises `SettingsError` for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is not a date; write it as 2025-04-01.") from error


def delivery_dates(landing_dir: Path) -> list[date]:
    """Dates on which any source delivered, oldest first."""
    sources = (folder.name for folder in landing_dir.glob("*/"))
    return sorted({delivery.date for source in sources for delivery in find_deliveries(landing_dir, source)[0]})
