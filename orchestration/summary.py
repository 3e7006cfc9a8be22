"""What a night did, as a person enjoys reading it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.publishing.release import Release
from orchestration.settings import Settings
from orchestration.status import source_table

if TYPE_CHECKING:
    from orchestration.run import Outcome

_MOST_LINES = 12

_SEGMENTS = """
    select person.segment_name, count(*) as n_people
    from marts.person_segment as person
    inner join marts.segment as segment on person.scheme = segment.scheme and person.segment_code = segment.code
    where person.scheme = 'bridges_to_health_style'
        and person.month_end = (select max(month_end) from marts.person_segment)
    group by person.segment_name, segment.rank
    order by segment.rank
"""

_QUERY = (
    "select place_code, imd_decile, count(*) as n_people from marts.person where is_registered and is_alive "
    "group by all order by all"
)


def print_summary(outcome: Outcome, console: Console) -> None:
    """Sources, people, segments, warnings and time; or what failed, and what goes on serving."""
    console.print(source_table(outcome.sources), highlight=False)
    _print_lines(console, "yellow", "Warnings", outcome.warnings)
    if not outcome.succeeded:
        _print_lines(console, "bold red", "Failed", outcome.failures)
        serving = f"release {outcome.release.release_id} goes on serving" if outcome.release else "there is no release yet"
        console.print(f"No new release was made; {serving}. Mend what failed and run again: the run goes on from there.")
        return
    if outcome.release:
        _print_release(outcome.release, console)
    console.print(f"Done in {outcome.seconds:.0f} s.", style="bold", highlight=False)


def print_next_things(settings: Settings, seconds: float, console: Console) -> None:
    """The end of the demonstration: three things to try, one of them a query to paste."""
    phm = shown(Path(sys.executable).parent / "phm")
    page = shown(settings.releases_dir / "current" / "direct_care" / "site" / "index.html")
    console.print()
    console.print(f"From nothing to a release in {seconds:.0f} s. Three things to try:", style="bold", highlight=False)
    console.print(f"  1. Look at it: {phm} open, or open {page} in a browser", highlight=False, soft_wrap=True)
    console.print("  2. Ask it something:", highlight=False)
    console.print(f'     {phm} query "{_QUERY}"', highlight=False, soft_wrap=True)
    console.print("  3. See how it was made: make dev, then open http://localhost:3000", highlight=False)


def _print_release(release: Release, console: Console) -> None:
    database = release.path / "direct_care" / "direct_care.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        segments = connection.execute(_SEGMENTS).fetchall()
    table = Table(box=None, pad_edge=False, title_justify="left", title=f"\n{release.n_people:,} people, by segment")
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    largest = max((n_people for _, n_people in segments), default=1)
    for name, n_people in segments:
        table.add_row(name, f"{n_people:,}", "█" * max(1, round(30 * n_people / largest)))
    console.print(table, highlight=False)
    for notice in release.notices:
        console.print(f"[yellow]Not in the release:[/] {notice}", highlight=False, soft_wrap=True)
    console.print(f"\nRelease {release.release_id} is in {shown(release.path)}", highlight=False, soft_wrap=True)


def _print_lines(console: Console, style: str, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(f"\n{title}", style=style)
    for line in lines[:_MOST_LINES]:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    if len(lines) > _MOST_LINES:
        console.print(f"  and {len(lines) - _MOST_LINES} more", highlight=False)


def shown(path: Path) -> str:
    """A path as a person would type it here: relative when it lies below the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
