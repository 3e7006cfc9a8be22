"""`phm cohort`: a definition in a file, from the first line to the list of its members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from linkage.sql import literal
from orchestration.cohort_definition import CohortError, read_definition
from orchestration.cohort_query import Membership, Source, check_codes, evaluate
from orchestration.publishing.open_data import read_policy
from orchestration.publishing.release import PURPOSES, Release, current_release, list_releases
from orchestration.settings import Settings

_BANDS = "seeds/rules/score_band.csv"
_POLICIES = "seeds/governance/disclosure_policy.csv"
_MOST_OVERLAPS = 5

_NEW = """\
# A cohort: who belongs, in words that a computer reads too. Run it with
#
#     phm cohort run {file}
#
# Lines that begin with # are for people; take the # away to use one. docs/cohorts.md explains every word.

name: {name}
version: 1
description: People of 65 or over with diabetes who came to an emergency department in the last year.
owner: Who answers for this definition

who:
  all:                                  # every line that begins with a dash must hold
    - age: {{from: 65}}                   # completed years; also {{to: 74}}, or {{from: 65, to: 74}}
    - condition: diabetes               # on this register today; a list means any of them
    - activity:                         # contacts that took place
        setting: emergency_department
        at_least: 1
        months: 12
    - not:                              # and none of these
        any:
          - condition: palliative_care
          - cohort: frailty
    # - sex: female
    # - registered: true
    # - area: {{place: QZZ-999}}
    # - deprivation_decile: {{to: 2}}     # 1 is the most deprived tenth of England
    # - score: {{code: electronic_frailty_index, band: [moderate, severe]}}
    # - score: {{code: polypharmacy, at_least: 10}}
    # - segment: {{scheme: bridges_to_health_style, code: frailty_and_dementia}}
    # - condition: {{any_of: [depression, anxiety], at_least: 2}}
    # - ethnic_group: [Black, Asian]
"""


def new_definition(name: str, folder: Path) -> Path:
    """Write a definition to begin with, which runs as it is. Returns its path.

    Raises `CohortError` when the name makes no file name, or the file is there.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    if not stem or not name.isprintable():
        raise CohortError(f"{name!r} makes no file name: use some letters or digits")
    path = folder / f"{stem}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_NEW.format(name="'" + name.replace("'", "''") + "'", file=path.name))
    except FileExistsError as error:
        raise CohortError(f"{path} is there already: give another name, or run it") from error
    except OSError as error:
        raise CohortError(f"{path} cannot be written: {error.strerror}") from error
    return path


def run_definition(
    settings: Settings, file: Path, purpose: str, output: Path | None, since: str | None, console: Console
) -> None:
    """Evaluate a definition against the release being served, write the members and say what was found.

    Raises `CohortError` when the definition or the release cannot be used; then nothing is written.
    """
    document = read_definition(file)
    release = current_release(settings.releases_dir)
    if release is None:
        raise CohortError("There is no release yet: run `phm demo` or `phm run` first.")
    source = _source(release, purpose)
    before = _source(_release_named(settings, since), purpose) if since is not None else None
    check_codes(document, source, settings.dbt_project_dir / _BANDS, settings.limits)
    target = output or Path(f"{file.stem}-{purpose}.csv")
    if target.suffix not in (".csv", ".parquet"):
        raise CohortError(f"{target} is neither .csv nor .parquet")
    found = evaluate(document.definition, source, settings.limits, target, before)
    _print(console, document.definition.name, source, purpose, found, _hidden_to(settings))
    console.print(f"Wrote {target} (only you can read it). It is personal data: keep it as you keep the release.", soft_wrap=True)


def list_cohorts(settings: Settings, purpose: str) -> Iterator[str]:
    """The cohorts of the release being served, a line each. Raises `CohortError` when there is none."""
    release = current_release(settings.releases_dir)
    if release is None:
        raise CohortError("There is no release yet: run `phm demo` or `phm run` first.")
    with duckdb.connect(str(_source(release, purpose).database), read_only=True) as connection:
        rows = connection.execute(
            "select cohort.code, cohort.version, cohort.name, count(member.person_id) from marts.cohort as cohort "
            "left join marts.person_cohort as member on cohort.code = member.cohort_code and member.exited_on is null "
            "group by all order by cohort.code"
        ).fetchall()
    for code, version, name, n_members in rows:
        yield f"{code}  v{version}  {n_members:,} people  {name}"


def _source(release: Release, purpose: str) -> Source:
    if purpose not in PURPOSES:
        raise CohortError(f"There is no purpose {purpose!r} with people; the purposes are {', '.join(PURPOSES)}.")
    if purpose in release.withheld:
        raise CohortError(f"Release {release.release_id} has nothing for {purpose}: {release.withheld[purpose]}.")
    return Source(release.release_id, date.fromisoformat(release.as_of), release.path / purpose / f"{purpose}.duckdb")


def _release_named(settings: Settings, release_id: str) -> Release:
    kept = {release.release_id: release for release in list_releases(settings.releases_dir)}
    if release_id not in kept:
        raise CohortError(f"There is no release {release_id!r}; the releases are: {', '.join(kept)}.")
    return kept[release_id]


def _hidden_to(settings: Settings) -> int:
    """The largest number that the disclosure policy hides."""
    with duckdb.connect() as connection:
        seed = f"read_csv({literal(settings.dbt_project_dir / _POLICIES)})"
        return read_policy(connection, seed, settings.disclosure_policy).hidden_to


def _print(console: Console, name: str, source: Source, purpose: str, found: Membership, hidden_to: int) -> None:
    table = Table(box=None, pad_edge=False, title_justify="left", title=f"{name}: {purpose}, release {source.release_id}")
    table.add_column("criterion")
    for heading in ("meet it", "left after it", "not known"):
        table.add_column(heading, justify="right")
    table.add_row("everybody alive", f"{found.n_alive:,}", f"{found.n_alive:,}", "")
    for step in found.steps:
        left = "" if step.n_left is None else f"{step.n_left:,}"
        table.add_row("  " * step.depth + step.words, f"{step.n_met:,}", left, f"{step.n_unknown:,}" if step.n_unknown else "")
    console.print(table, highlight=False, markup=False)
    share = 100 * found.n_members / found.n_alive if found.n_alive else 0
    console.print(f"\n{found.n_members:,} members, {share:.2f} % of everybody alive", style="bold", highlight=False)
    if found.n_members:
        cost = f"{found.n_contacts:,} contacts and {found.cost_gbp:,.0f} pounds in 12 months"
        console.print(f"{cost} ({found.cost_gbp / found.n_members:,.0f} pounds each)", highlight=False)
    for cohort, n_both in found.overlap[:_MOST_OVERLAPS]:
        console.print(f"  {n_both:,} are also in: {cohort}", highlight=False, markup=False)
    if found.n_joined is not None:
        console.print(f"{found.n_joined:,} joined and {found.n_left:,} left since that release", highlight=False)
    if 0 < found.n_members <= hidden_to:
        warning = f"Fewer than {hidden_to + 1} people: do not publish this number, nor any that gives it away by subtraction."
        console.print(warning, style="yellow", highlight=False, soft_wrap=True)
    if not found.n_members:
        console.print("Nobody. `meet it` says which criterion is the narrow one.", style="yellow", highlight=False)
