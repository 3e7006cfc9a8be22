"""What changes between two versions of a codelist, and how much of what is recorded the change touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from linkage.duck import Limits, connect
from linkage.sql import literal
from orchestration.codelists.library import Codelist
from orchestration.codelists.reading import CodelistError, Entry
from orchestration.duck import attach_warehouse

#: Event tables of the build database with codes of each system; diagnoses and results share SNOMED CT.
_EVENTS = {"snomed": ("condition_event", "observation"), "icd10": ("condition_event",), "dmd": ("medication",)}


@dataclass(frozen=True)
class Change:
    """One code that differs. `old` or `new` is None where the code is not listed."""

    code: str
    old: Entry | None
    new: Entry | None
    n_events: int | None = None
    n_people: int | None = None

    @property
    def kind(self) -> str:
        if self.old is None:
            return "added"
        if self.new is None:
            return "removed"
        return "other category" if self.old.category != self.new.category else "other term"

    @property
    def counts(self) -> bool:
        """Whether the change can put anybody on a register or take them off; a change of words cannot."""
        return self.kind != "other term"


@dataclass(frozen=True)
class Difference:
    """How `new` differs from `old`. `n_events` and `n_people`, of all changes that count together, are None when not measured."""

    old: Codelist
    new: Codelist
    changes: Sequence[Change] = field(default_factory=tuple)
    n_events: int | None = None
    n_people: int | None = None

    def of(self, kind: str) -> list[Change]:
        return [change for change in self.changes if change.kind == kind]


def compare(old: Codelist, new: Codelist) -> Difference:
    """The changes from `old` to `new`, by code."""
    before, after = ({entry.code: entry for entry in found.entries} for found in (old, new))
    codes = sorted(before.keys() | after.keys())
    return Difference(old, new, tuple(Change(c, before.get(c), after.get(c)) for c in codes if before.get(c) != after.get(c)))


def measure(difference: Difference, build_database: Path, limits: Limits) -> Difference:
    """The same, with the events and people that each change, and all together, touch in the build database of the last run.

    An event is touched when its code belongs to the list in another way than before: a category of ICD-10 stands for every code
    that begins with it, so a subcategory added beside its category touches nothing. What is legally restricted is not counted.

    Raises `CodelistError` when the build database is not whole.
    """
    try:
        return _measure(difference, build_database, limits)
    except duckdb.CatalogException as error:
        raise CodelistError(f"The last run did not finish its tables, so nothing can be measured: {error}") from error


def _measure(difference: Difference, build_database: Path, limits: Limits) -> Difference:
    system = difference.new.code_system
    with connect(limits) as connection:
        attach_warehouse(connection, build_database)
        for name, found in (("old_entry", difference.old), ("new_entry", difference.new)):
            connection.register(
                name, pa.table({"code": [e.code for e in found.entries], "category": [e.category for e in found.entries]})
            )
        changed = [c.code for c in difference.changes if c.counts]
        connection.register("changed", pa.table({"code": pa.array(changed, pa.string())}))
        used = " union all ".join(
            f"select code, record_token from build.core.{table} where code_system = {literal(system)}"
            for table in _EVENTS[system]
        )
        belongs = "starts_with(event.code, entry.code)" if system == "icd10" else "event.code = entry.code"
        categories = "list_sort(list(distinct entry.category)) as categories"
        listed = f"select event.code, {categories} from used as event {{}} on {belongs} group by event.code"
        connection.execute(
            f"""
            create temp table touched as
            with used as (select distinct code from ({used})),
            old_use as ({listed.format("inner join old_entry as entry")}),
            new_use as ({listed.format("inner join new_entry as entry")}),
            differing as (
                select code from old_use full outer join new_use using (code)
                where old_use.categories is distinct from new_use.categories
            )
            select event.code, person_record.person_id
            from ({used}) as event
            inner join build.core.person_record as person_record on event.record_token = person_record.record_token
            where event.code in (select code from differing)
                and not exists (
                    select 1 from build.seeds.sensitive_code as entry
                    where entry.code_system = {literal(system)} and entry.restriction = 'legally_restricted' and {belongs}
                )
            """
        )
        counts = "count(*), count(distinct event.person_id) from touched as event"
        by_changed = f"select entry.code, {counts} inner join changed as entry on {belongs} group by entry.code"
        by_code = {code: (n_events, n_people) for code, n_events, n_people in connection.execute(by_changed).fetchall()}
        n_events, n_people = connection.execute(f"select {counts}").fetchall()[0]
    changes = tuple(Change(c.code, c.old, c.new, *by_code.get(c.code, (0, 0))) if c.counts else c for c in difference.changes)
    return Difference(difference.old, difference.new, changes, n_events, n_people)
