"""`phm demo`: a synthetic place from nothing to a published release, on the code path that production takes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from synthetic.generate import GenerationError, GenerationSummary, generate

from orchestration.evaluation import evaluate_index, print_quality
from orchestration.night import delivery_dates, open_night
from orchestration.run import NightRequest, run_night
from orchestration.settings import Settings, SettingsError
from orchestration.summary import print_next_things


@dataclass(frozen=True)
class Place:
    """What makes a synthetic place: the same three numbers make the same files."""

    people: int
    nights: int
    seed: int


def run_demo(settings: Settings, place: Place, console: Console) -> bool:
    """Make the place, load its bulk delivery and each delta as a night of its own. True when every night succeeded."""
    with open_night(settings, "phm demo"):
        started = time.monotonic()
        synthesise(settings, place, console)
        for day in delivery_dates(settings.landing_dir):
            console.print()
            if not run_night(settings, NightRequest(as_of=day.isoformat()), console).succeeded:
                return False
        print_quality(evaluate_index(settings, settings.truth_dir, delivery_dates(settings.landing_dir)[-1], 0.0), console)
        print_next_things(settings, time.monotonic() - started, console)
    return True


def synthesise(settings: Settings, place: Place, console: Console) -> None:
    """Write the synthetic suppliers' files into the landing zone, with the truth beside it.

    Raises `SettingsError` when another place is there: its people would be linked with these.
    """
    console.print(f"Making a synthetic place of {place.people:,} people", style="bold", highlight=False)
    try:
        made = _generate(settings, place, console)
    except GenerationError as error:
        raise SettingsError(str(error)) from error
    n_rows = sum(rows for days in made.rows.values() for files in days.values() for rows in files.values())
    console.print(
        f"  {len(made.rows)} suppliers, {len(made.deliveries)} deliveries, {n_rows:,} rows, {made.seconds:.0f} s", highlight=False
    )


def _generate(settings: Settings, place: Place, console: Console) -> GenerationSummary:
    columns = (TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("suppliers write their files")
        return generate(
            settings.data_dir,
            people=place.people,
            nights=place.nights,
            seed=place.seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
