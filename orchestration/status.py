"""Where things stand: what landed of each source, what is stale or refused, what is being served, and who is running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rich.console import Console
from rich.table import Table

from linkage.sql import literal
from orchestration.landing.contract import Source, read_contracts
from orchestration.landing.ledger import Ledger
from orchestration.night import resolve_as_of
from orchestration.publishing.release import current_release, list_releases
from orchestration.run_lock import lock_holder
from orchestration.run_report import latest_report
from orchestration.settings import Settings

_MOST_PROBLEMS = 3


@dataclass(frozen=True)
class SourceState:
    """One source as of a date. Rows are those of the run that was asked about, or of everything held."""

    source: str
    last_delivery: date | None
    rows_landed: int
    rows_quarantined: int
    is_stale: bool
    #: Files of the newest deliveries that were not taken in: `<status>: <why>`.
    problems: tuple[str, ...]

    @property
    def needs_attention(self) -> bool:
        return self.is_stale or bool(self.problems)

    @property
    def state(self) -> str:
        if self.last_delivery is None:
            return "never delivered"
        return "stale" if self.is_stale else "fresh"

    def as_row(self) -> dict[str, object]:
        """The source's freshness as a release's manifest keeps it."""
        return {
            "source": self.source,
            "last_delivery": self.last_delivery.isoformat() if self.last_delivery else None,
            "is_fresh": not self.is_stale,
            "n_problems": len(self.problems),
        }


def source_states(settings: Settings, as_of: date, run_id: str | None = None) -> list[SourceState]:
    """The state of every source with a contract; rows of run `run_id` only, when one is named."""
    sources = read_contracts(settings.staging_dir)
    if not settings.ledger_path.exists():
        return [SourceState(name, None, 0, 0, is_stale=True, problems=()) for name in sources]
    with Ledger(settings.ledger_path) as ledger:
        return [_state(ledger, source, as_of, run_id) for source in sources.values()]


def _state(ledger: Ledger, source: Source, as_of: date, run_id: str | None) -> SourceState:
    of_run = f"and run_id = {literal(run_id)}" if run_id else ""
    (totals,) = ledger.rows(
        "select max(case when status = 'landed' then delivery_date end), "
        f"coalesce(sum(case when status = 'landed' {of_run} then rows_landed end), 0), "
        f"coalesce(sum(case when status = 'landed' {of_run} then rows_quarantined end), 0) "
        f"from load where source = {literal(source.name)}"
    )
    last_delivery = date.fromisoformat(str(totals[0])) if totals[0] else None
    is_stale = last_delivery is None or last_delivery + timedelta(days=source.terms.stale_after_days) < as_of
    return SourceState(
        source.name,
        last_delivery,
        int(totals[1]),
        int(totals[2]),
        is_stale,
        _problems(ledger, source.name, last_delivery, run_id),
    )


def _problems(ledger: Ledger, source: str, last_delivery: date | None, run_id: str | None) -> tuple[str, ...]:
    """What was not taken in since the last good delivery, and, of one run, whatever it met."""
    since = literal(last_delivery.isoformat() if last_delivery else "")
    rows = ledger.rows(
        "select distinct delivery_date, status, reason from load "
        f"where source = {literal(source)} and status in ('refused', 'held', 'waiting', 'unknown') "
        f"and (delivery_date > {since} or run_id = {literal(run_id)}) order by delivery_date desc"
    )
    return tuple(f"{status}: {reason}" for _, status, reason in rows)


def source_table(states: Sequence[SourceState]) -> Table:
    """Sources as a table for a person."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for header, justify in (
        ("source", "left"),
        ("last delivery", "left"),
        ("rows", "right"),
        ("quarantined", "right"),
        ("", "left"),
    ):
        table.add_column(header, justify=justify)
    for state in states:
        colour = "yellow" if state.needs_attention else "green"
        last = state.last_delivery.isoformat() if state.last_delivery else "–"
        table.add_row(state.source, last, f"{state.rows_landed:,}", f"{state.rows_quarantined:,}", f"[{colour}]{state.state}[/]")
        for problem in state.problems[:_MOST_PROBLEMS]:
            table.add_row("", "", "", "", f"[yellow]{problem}[/]")
    return table


def print_status(settings: Settings, console: Console) -> None:
    """Everything held, the last run, the releases and the run that is under way, if any."""
    settings.require_environment()
    as_of = resolve_as_of(settings, None)
    states = source_states(settings, as_of)
    console.print(f"As of {as_of:%-d %B %Y}", style="bold", highlight=False)
    console.print(source_table(states), highlight=False)
    report = latest_report(settings.log_dir)
    if report:
        how = "succeeded" if report["succeeded"] else f"failed: {'; '.join(report['failures'])}"
        console.print(f"\nLast run: {report['run_id']}, as of {report['as_of']}, {how}", highlight=False, soft_wrap=True)
    serving = current_release(settings.releases_dir)
    if serving:
        n_kept = len(list_releases(settings.releases_dir))
        console.print(f"Serving: release {serving.release_id}, {serving.n_people:,} people ({n_kept} kept)", highlight=False)
        for notice in serving.notices:
            console.print(f"  [yellow]not in it:[/] {notice}", highlight=False, soft_wrap=True)
    else:
        console.print("Serving: nothing, there is no release yet")
    holder = lock_holder(settings.lock_path)
    console.print(f"Under way: {holder or 'nothing'}", highlight=False, soft_wrap=True)
