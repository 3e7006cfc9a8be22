"""The folders of a data directory: made with the right modes, claimed for one environment, keyed by one key."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.landing.errors import LandingError
from orchestration.landing.keys import PseudonymisationKey
from orchestration.settings import Environment, Settings, SettingsError

PRIVATE = 0o700


def prepare_zones(settings: Settings) -> None:
    """Make every zone that is missing, and see that each can be written.

    Raises `SettingsError` naming the folder and what to do when one cannot be made or written.
    """
    zones = {
        settings.data_dir: None,
        settings.landing_dir: None,
        settings.identifiable_dir: PRIVATE,
        settings.key_path.parent: PRIVATE,
        settings.raw_dir: None,
        settings.operations_dir: None,
        settings.warehouse_dir: PRIVATE,
        settings.spill_dir: PRIVATE,
        settings.dagster_dir: PRIVATE,
        settings.log_dir: PRIVATE,
        settings.models_dir: None,
        settings.releases_dir: None,
    }
    for folder, mode in zones.items():
        _make(folder, mode)


def _make(folder: Path, mode: int | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if mode is not None and (folder.stat().st_mode & 0o777) != mode:
            folder.chmod(mode)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"Cannot write to {folder} ({error.strerror or error}). Give this user write access to it, free space on its disk, "
            "or set PHM_DATA_DIR to another directory."
        ) from error


def claim(settings: Settings, environment: Environment) -> None:
    """Mark the data directory as belonging to `environment`; it keeps that for good.

    Raises `SettingsError` when it belongs to the other environment, or when a demonstration is asked for where extracts
    that nobody marked are already waiting.
    """
    current = settings.require_environment() if settings.environment or settings.environment_marker.exists() else None
    if current not in (None, environment):
        raise SettingsError(
            f"{settings.data_dir} is a {current} directory, not a {environment} one. Set PHM_DATA_DIR to another directory."
        )
    if current is None and environment == "demo" and any(settings.landing_dir.glob("*/*")):
        raise SettingsError(
            f"{settings.landing_dir} already holds deliveries that no demonstration wrote. Set PHM_DATA_DIR to another directory."
        )
    if not settings.environment_marker.exists():
        settings.environment_marker.parent.mkdir(parents=True, exist_ok=True)
        settings.environment_marker.write_text(environment + "\n", encoding="utf-8")


def create_key(settings: Settings) -> Path:
    """Make a new random pseudonymisation key at `settings.key_path` (mode 0600) and return its path.

    Raises `SettingsError` when one is there already: a new key would change every token, so it is never overwritten.
    """
    for folder in (settings.identifiable_dir, settings.key_path.parent):
        _make(folder, PRIVATE)
    try:
        PseudonymisationKey.create_file(settings.key_path)
    except LandingError as error:
        raise SettingsError(f"{error}. Another key would give every record another token.") from error
    return settings.key_path


def key_id_path(settings: Settings) -> Path:
    """Where the data directory says with which key it was loaded."""
    return settings.warehouse_dir / "key_id"


def check_key_is_the_same(settings: Settings, key: PseudonymisationKey) -> None:
    """See that this data directory was always loaded with this key; the first run writes down which one it is.

    Raises `SettingsError` when the key is another one: tokens made from two keys would never meet.
    """
    path = key_id_path(settings)
    if not path.exists():
        path.write_text(key.key_id + "\n", encoding="ascii")
    known = path.read_text(encoding="ascii").strip()
    if known != key.key_id:
        raise SettingsError(
            f"The pseudonymisation key (id {key.key_id}) is not the one this data directory was loaded with ({known}). "
            "Put the former key back; `phm keys rotate` goes over to a new one."
        )
