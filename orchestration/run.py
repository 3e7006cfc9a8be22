"""The nightly job in this process, without the web server: the same Dagster job, with progress for a person."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TextIO

from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from orchestration.alerts import send_alert
from orchestration.dagster_home import write_dagster_home
from orchestration.dbt import ensure_manifest
from orchestration.faults import explain
from orchestration.night import resolve_as_of
from orchestration.publishing.release import Release, current_release
from orchestration.run_report import write_report
from orchestration.settings import Settings
from orchestration.status import SourceState, source_states
from orchestration.summary import print_summary

#: Modules that take seconds to import: dagster-dbt, Great Expectations.
_COSTLY = ("orchestration.defs.warehouse", "expectations.engine")


@dataclass(frozen=True)
class NightRequest:
    """How a night was asked for. Dates are ISO texts; `sources` empty means all."""

    as_of: str | None = None
    sources: tuple[str, ...] = ()
    delivery_date: str | None = None
    full_refresh: bool = False


@dataclass
class Outcome:
    """What a night did."""

    run_id: str
    as_of: str
    seconds: float = 0.0
    steps: list[dict[str, object]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sources: list[SourceState] = field(default_factory=list)
    release: Release | None = None

    @property
    def succeeded(self) -> bool:
        return not self.failures

    def as_report(self) -> dict[str, object]:
        """What is kept of the run."""
        return {
            "run_id": self.run_id,
            "as_of": self.as_of,
            "seconds": round(self.seconds, 1),
            "succeeded": self.succeeded,
            "failures": self.failures,
            "warnings": self.warnings,
            "steps": self.steps,
        }

    @property
    def has_warnings(self) -> bool:
        is_narrowed = self.release is not None and bool(self.release.notices or self.release.breaks)
        return bool(self.warnings) or is_narrowed or any(state.needs_attention for state in self.sources)


def run_night(settings: Settings, request: NightRequest, console: Console) -> Outcome:
    """Run the nightly job and print what it does and did. A failure is told to the alert command.

    Raises `SettingsError` when a date of the request is not one.
    """
    as_of = resolve_as_of(settings, request.as_of)
    outcome = Outcome(run_id=str(uuid.uuid4()), as_of=as_of.isoformat())
    log_path = settings.log_dir / f"{outcome.run_id}.log"
    console.print(f"Loading deliveries up to {as_of:%-d %B %Y}", style="bold", highlight=False)
    started = time.monotonic()
    with _output_to(log_path) as terminal:
        _execute(settings, request, outcome, Console(file=terminal, force_terminal=console.is_terminal, width=console.width))
    outcome.seconds = time.monotonic() - started
    write_report(settings.log_dir, outcome.run_id, outcome.as_report())
    outcome.sources = source_states(settings, as_of, outcome.run_id)
    outcome.release = current_release(settings.releases_dir)
    print_summary(outcome, console)
    if not outcome.succeeded:
        console.print(f"Everything that was said on the way is in {log_path}", highlight=False, soft_wrap=True)
        send_alert(settings.alert_command, outcome.run_id, "\n".join(outcome.failures))
    return outcome


def _execute(settings: Settings, request: NightRequest, outcome: Outcome, console: Console) -> None:
    with ThreadPoolExecutor(max_workers=1) as beside:
        parsing = beside.submit(ensure_manifest, settings)  # dbt, in a child process, while this one imports
        for module in _COSTLY:
            import_module(module)
        parsing.result()
    from orchestration.defs.execution import execute_nightly

    night = {
        "as_of": outcome.as_of,
        "sources": list(request.sources),
        "full_refresh": request.full_refresh,
        "delivery_date": request.delivery_date,
    }
    try:
        told = execute_nightly(write_dagster_home(settings), outcome.run_id, night, console)
    except (OSError, SQLAlchemyError) as error:  # Dagster cannot keep its own record of the run
        outcome.failures = [explain(error)]
        return
    outcome.steps, outcome.failures, outcome.warnings = told.steps, told.failures, told.warnings


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[TextIO]:
    """Send what this process and its children print to a log file; yields the terminal it would have gone to."""
    sys.stdout.flush()
    sys.stderr.flush()
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [os.dup(1), os.dup(2)]
    atexit.register(_end_quietly, path)
    with path.open("ab") as log, os.fdopen(os.dup(1), "w", encoding="utf-8") as terminal:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield terminal
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, descriptor)
                os.close(saved)


def _end_quietly(path: Path) -> None:
    """What libraries' bindings say of themselves while the interpreter ends goes to the log, not to the person."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(descriptor, 2)
    os.close(descriptor)
