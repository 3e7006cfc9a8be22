"""Is this machine, and this data directory, fit to run the warehouse?"""

from __future__ import annotations

import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import psutil
from rich.console import Console
from rich.table import Table

from orchestration.audit_log import AuditError, AuditLog
from orchestration.dbt import DbtError, ensure_manifest
from orchestration.governance import load_agreements
from orchestration.landing.agreements import AgreementError
from orchestration.landing.contract import ContractError, read_contracts
from orchestration.purposes import PurposeError
from orchestration.run_lock import lock_holder
from orchestration.settings import Settings, SettingsError
from orchestration.zones import check_key_is_the_same, prepare_zones

Level = Literal["ok", "warn", "fail"]

_GIB = 1024**3
_LEAST_DISK = 2 * _GIB
_COMFORTABLE_DISK = 20 * _GIB
_LEAST_MEMORY = 2 * _GIB

#: Packages that only work together in the versions of `requirements.lock`.
_PINNED = {
    "dagster": "1.13.",
    "dagster-dbt": "0.29.",
    "dbt-core": "1.11.",
    "dbt-duckdb": "1.11.",
    "duckdb": "2.0.",
    "splink": "5.0.",
}

_OLDEST_PYTHON = (3, 11)
_FIRST_PYTHON_TOO_NEW = (3, 14)

_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis; `advice` says what to do when it is not ok."""

    subject: str
    level: Level
    text: str
    advice: str = ""


def diagnose(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which a person would mend them."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _zones,
        _environment,
        _key,
        _private_zones,
        _disk,
        _memory,
        _contracts,
        _agreements,
        _audit,
        _purposes,
        _other_run,
    )
    return [finding for check in checks for finding in check(settings)]


def print_diagnosis(findings: list[Finding], console: Console) -> None:
    """The findings as a table, one line each."""
    colours = {"ok": "green", "warn": "yellow", "fail": "bold red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        advice = f" {finding.advice}" if finding.advice else ""
        table.add_row(f"[{colours[finding.level]}]{finding.level}[/]", finding.subject, finding.text + advice)
    console.print(table, highlight=False)


def _python(_: Settings) -> Iterator[Finding]:
    if _OLDEST_PYTHON <= sys.version_info[:2] < _FIRST_PYTHON_TOO_NEW:
        yield Finding("python", "ok", platform.python_version())
    else:
        yield Finding("python", "fail", platform.python_version(), "Use Python 3.11, 3.12 or 3.13.")


def _packages(_: Settings) -> Iterator[Finding]:
    wrong = []
    for name, prefix in _PINNED.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if not found.startswith(prefix):
            wrong.append(f"{name} {found} (needs {prefix}x)")
    if wrong:
        yield Finding("packages", "fail", ", ".join(wrong), "Install with `pip install --require-hashes -r requirements.lock`.")
    else:
        yield Finding("packages", "ok", ", ".join(f"{name} {version(name)}" for name in _PINNED))


def _zones(settings: Settings) -> Iterator[Finding]:
    try:
        prepare_zones(settings)
    except SettingsError as error:
        yield Finding("zones", "fail", str(error))
    else:
        yield Finding("zones", "ok", f"{settings.data_dir} can be written")


def _environment(settings: Settings) -> Iterator[Finding]:
    try:
        yield Finding("environment", "ok", settings.require_environment())
    except SettingsError as error:
        yield Finding("environment", "fail", str(error))


def _key(settings: Settings) -> Iterator[Finding]:
    try:
        key = settings.require_key()
        check_key_is_the_same(settings, key)
    except (SettingsError, OSError) as error:
        yield Finding("key", "fail", str(error))
    else:
        yield Finding("key", "ok", f"id {key.key_id}")


def _private_zones(settings: Settings) -> Iterator[Finding]:
    if not settings.identifiable_dir.exists():
        return
    folders = [settings.identifiable_dir, settings.key_path.parent]
    opened = [folder for folder in folders if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o077]
    for folder in opened:
        yield Finding("permissions", "fail", f"{folder} is open to other users.", f"Run `chmod 700 {folder}`.")
    if not opened:
        yield Finding("permissions", "ok", "the identifiable zone is closed to other users")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = _nearest(settings.data_dir)
    free = shutil.disk_usage(folder).free
    text = f"{free / _GIB:.0f} GiB free for {settings.data_dir}"
    if free < _LEAST_DISK:
        yield Finding("disk", "fail", text, "Free some space, or lower PHM_KEEP_RELEASES.")
    elif free < _COMFORTABLE_DISK:
        yield Finding("disk", "warn", text, "Enough for a demonstration; a million people need about 60 GiB.")
    else:
        yield Finding("disk", "ok", text)


def _memory(settings: Settings) -> Iterator[Finding]:
    available = psutil.virtual_memory().available
    limit = size_in_bytes(settings.memory_limit)
    text = f"{available / _GIB:.1f} GiB available, DuckDB may use {settings.memory_limit} on {settings.threads} threads"
    if available < _LEAST_MEMORY:
        yield Finding("memory", "fail", text, "Stop other programs; a run needs at least 2 GiB.")
    elif limit > available:
        yield Finding("memory", "warn", text, "Lower PHM_MEMORY_LIMIT below what is available, or the system may kill the run.")
    else:
        yield Finding("memory", "ok", text)


def _contracts(settings: Settings) -> Iterator[Finding]:
    try:
        sources = read_contracts(settings.staging_dir)
    except ContractError as error:
        yield Finding("contracts", "fail", str(error))
        return
    n_tables = sum(len(source.tables) for source in sources.values())
    yield Finding("contracts", "ok", f"{len(sources)} sources, {n_tables} tables")


def _agreements(settings: Settings) -> Iterator[Finding]:
    try:
        agreements = load_agreements(settings)
    except (AgreementError, ContractError, SettingsError) as error:
        yield Finding("agreements", "fail", str(error))
        return
    yield Finding("agreements", "ok", f"{len(agreements.rows)} rows in {settings.agreements_path}")


def _audit(settings: Settings) -> Iterator[Finding]:
    try:
        head = AuditLog(settings.audit_path).verify()
    except (AuditError, OSError) as error:
        yield Finding("audit log", "fail", f"{error}.", "Find out who changed it; compare with a head that was kept elsewhere.")
    else:
        yield Finding("audit log", "ok", f"{head.n_entries:,} lines, unbroken")


def _purposes(settings: Settings) -> Iterator[Finding]:
    try:
        load_agreements(settings)
        ensure_manifest(settings)
    except AgreementError:
        return  # the finding before this one tells it
    except (ContractError, DbtError, PurposeError, SettingsError) as error:
        yield Finding("purposes", "fail", str(error))
    else:
        yield Finding("purposes", "ok", "every model keeps to what its purpose may see")


def _other_run(settings: Settings) -> Iterator[Finding]:
    holder = lock_holder(settings.lock_path)
    if holder:
        yield Finding("run", "warn", f"under way: {holder}", "A second run is refused until it ends.")
    else:
        yield Finding("run", "ok", "none under way")


def size_in_bytes(text: str) -> float:
    """A size in DuckDB's notation (`4GB`, `512 MiB`) in bytes."""
    unit = next(unit for unit in sorted(_UNITS, key=len, reverse=True) if text.endswith(unit))
    return float(text.removesuffix(unit)) * _UNITS[unit]


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return folder if folder.exists() else _nearest(folder.parent)
