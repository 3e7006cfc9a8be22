"""Running the nightly job in this process, and telling a person about each step as it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from rich.console import Console

from orchestration.defs.jobs import NIGHTLY, TELLS_ITSELF

#: Metadata worth a person's while on a step's line, in this order.
_SHOWN = ("state", "rows", "quarantined", "records", "people", "release_id")


@dataclass
class Told:
    """What a run said: its finished steps (name, seconds, facts), what failed and what a check warned of."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def execute_nightly(dagster_home: Path, run_id: str, night: Mapping[str, Any], console: Console) -> Told:
    """Run the nightly job to its end under `run_id`, with `night` as the configuration of that resource."""
    from orchestration.definitions import defs  # reads the settings when it is imported

    progress = _Progress(console)
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance, progress.status:
        instance.add_event_listener(run_id, progress.see)
        defs.resolve_job_def(NIGHTLY).execute_in_process(
            instance=instance,
            run_id=run_id,
            run_config={
                "resources": {"night": {"config": dict(night)}},
                "loggers": {"console": {"config": {"log_level": "INFO"}}},
            },
            tags={TELLS_ITSELF: "true"},
            raise_on_error=False,
        )
    return progress.told


class _Progress:
    """Listens to a run's events."""

    def __init__(self, console: Console) -> None:
        self.told = Told()
        #: The step at hand, on a terminal: dbt takes its time.
        self.status = console.status("starting")
        self._console = console
        self._facts: dict[str, dict[str, Any]] = {}
        self._n_made: dict[str, int] = {}

    def see(self, entry: dg.EventLogEntry) -> None:
        """One event of the run."""
        event = entry.dagster_event
        if event is None:
            return
        step = event.step_key or ""
        if event.is_step_start:
            self.status.update(step)
        elif event.is_step_materialization:
            self._gather(step, event.step_materialization_data.materialization.metadata)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._see_check(event.asset_check_evaluation_data)
        elif event.is_step_success:
            self._see_success(step, event.step_success_data.duration_ms / 1000)
        elif event.is_step_failure:
            self._see_failure(step, event.step_failure_data)
        elif event.is_step_up_for_retry:
            self._console.print(f"  [yellow]↻[/] {step}: trying again", highlight=False)
        elif event.is_run_failure and not self.told.failures:
            self.told.failures.append(event.message or "The run failed.")

    def _gather(self, step: str, metadata: Mapping[str, dg.MetadataValue]) -> None:
        self._n_made[step] = self._n_made.get(step, 0) + 1
        self.status.update(f"{step}: {self._n_made[step]}")
        facts = self._facts.setdefault(step, {})
        for name in _SHOWN:
            if name in metadata:
                value = metadata[name].value
                facts[name] = facts.get(name, 0) + value if isinstance(value, int) else value

    def _see_check(self, check: dg.AssetCheckEvaluation) -> None:
        if check.passed:
            return
        broken = [
            f"{name.partition('/')[2]} ({value.value})" for name, value in check.metadata.items() if name.startswith("broken/")
        ]
        text = f"{check.asset_key.to_user_string()}: {', '.join(broken) or check.check_name}"
        stops = check.blocking and check.severity == dg.AssetCheckSeverity.ERROR
        (self.told.failures if stops else self.told.warnings).append(text)

    def _see_success(self, step: str, seconds: float) -> None:
        facts = self._facts.get(step, {})
        self.told.steps.append({"step": step, "seconds": round(seconds, 2), "facts": facts})
        self._console.print(f"  [green]✓[/] {step:<24} {self._said(step, facts):<40} {seconds:6.1f} s", highlight=False)

    def _said(self, step: str, facts: Mapping[str, Any]) -> str:
        """Facts in a few words; noughts and the ordinary are left out."""
        numbers = [f"{value:,} {name}" for name, value in facts.items() if isinstance(value, int) and value]
        words = [value.replace("_", " ") for value in facts.values() if isinstance(value, str) and value != "ok"]
        if not facts and self._n_made.get(step, 0) > 1:
            numbers = [f"{self._n_made[step]} tables"]
        return ", ".join(words + numbers)

    def _see_failure(self, step: str, failure: Any) -> None:
        self._console.print(f"  [red]✗[/] {step}", highlight=False)
        described = failure.user_failure_data
        if described and described.description:
            self.told.failures.append(f"{step}: {described.description}")
        elif not self.told.failures:
            self.told.failures.append(f"{step}: {failure.error_display_string.strip().splitlines()[0]}")
