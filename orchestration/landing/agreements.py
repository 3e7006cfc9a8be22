"""Sharing agreements: whose data may enter, which tables and columns of them, for which purposes, and until when.

Agreements are rows of a CSV file that the site keeps (`AGREEMENT_COLUMNS`; docs/governance.md says what each means). Rows that
name an organisation decide for it; rows for every organisation of a source (`*`) speak for those that none names; rows for any
source (`*`) speak for sources that none names. What no row in force covers does not enter, and leaves when its row has expired.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

from orchestration.landing.contract import Source, Table

#: What an agreement can allow data to be used for. `risk_stratification` is the approval to join identifiable data for it
#: (Health Service (Control of Patient Information) Regulations 2002, regulation 5).
AGREED_PURPOSES = ("direct_care", "secondary_use", "open", "risk_stratification")

AGREEMENT_COLUMNS = (
    "agreement_id",
    "party",
    "source",
    "organisation_code",
    "tables",
    "columns",
    "purposes",
    "valid_from",
    "valid_to",
    "cross_border_partner",
    "legal_basis",
)

#: A column that a file may leave out: the first day on which what an organisation sends counts. Until then it lands, is checked
#: and linked, and belongs to nobody.
LIVE_FROM = "live_from"

ALL = "*"

State = Literal["in_force", "expired", "not_begun", "none"]


class AgreementError(Exception):
    """The file of sharing agreements cannot be used; the message says which line and what to do."""


@dataclass(frozen=True)
class Agreement:
    """One row: one party, one source, one organisation of it or all (`ALL`). Empty `tables` means all; `columns` lists, by
    table, the only columns that are shared of it."""

    agreement_id: str
    party: str
    source: str
    organisation_code: str
    tables: frozenset[str]
    columns: Mapping[str, frozenset[str]]
    purposes: frozenset[str]
    valid_from: date
    valid_to: date | None
    cross_border_partner: str
    legal_basis: str
    live_from: date | None = None

    def state(self, day: date) -> State:
        if day < self.valid_from:
            return "not_begun"
        return "expired" if self.valid_to is not None and day > self.valid_to else "in_force"

    @property
    def covered(self) -> list[list[str]]:
        """The tables and columns it names, in order."""
        return [sorted(self.tables), *([table, *sorted(names)] for table, names in sorted(self.columns.items()))]

    def shares_table(self, table: str) -> bool:
        return not self.tables or table in self.tables

    def shares_column(self, table: str, column: str) -> bool:
        return self.shares_table(table) and (table not in self.columns or column in self.columns[table])


@dataclass(frozen=True)
class Standing:
    """How one source, or one organisation of it, stands on a day: the rows that speak for it, and what they come to."""

    source: str
    organisation_code: str
    state: State
    rows: tuple[Agreement, ...]

    @property
    def purposes(self) -> frozenset[str]:
        """What the data may be used for; none unless an agreement is in force."""
        return frozenset().union(*(row.purposes for row in self.rows)) if self.state == "in_force" else frozenset()

    @property
    def live_from(self) -> date | None:
        """The first day on which its data count; None: as soon as an agreement is in force. The last of its rows decides."""
        return max((row.live_from for row in self.rows if row.live_from), default=None)

    def is_live(self, day: date) -> bool:
        """True when what has landed may be used on a day."""
        return self.state == "in_force" and (self.live_from is None or self.live_from <= day)

    @property
    def is_cross_border(self) -> bool:
        return any(row.cross_border_partner for row in self.rows)

    @property
    def reason(self) -> str:
        """Why nothing of it may be used, in words; '' when it may."""
        ids = ", ".join(row.agreement_id for row in self.rows)
        ended = max((row.valid_to for row in self.rows if row.valid_to), default=None)
        begins = min((row.valid_from for row in self.rows), default=None)
        whose = self.source if self.organisation_code == ALL else f"{self.organisation_code} in {self.source}"
        return {
            "in_force": "",
            "expired": f"the sharing agreement for {whose} ({ids}) ended on {ended}",
            "not_begun": f"the sharing agreement for {whose} ({ids}) begins on {begins}",
            "none": f"there is no sharing agreement for {whose}",
        }[self.state]


@dataclass(frozen=True)
class Agreements:
    """Every row of the file."""

    rows: tuple[Agreement, ...]

    def standing(self, source: str, organisation_code: str, day: date) -> Standing:
        """How an organisation (`ALL`: one that no row names) stands for a source on a day."""
        rows = self._speaking_for(source, organisation_code)
        states = {row.state(day) for row in rows}
        state: State = next((s for s in ("in_force", "not_begun", "expired") if s in states), "none")  # type: ignore[assignment]
        return Standing(source, organisation_code, state, tuple(row for row in rows if row.state(day) == state))

    def standings(self, source: str, day: date) -> list[Standing]:
        """One for the source's organisations that no row names, then one for each that a row names."""
        named = sorted({row.organisation_code for row in self.rows if row.source == source} - {ALL})
        return [self.standing(source, code, day) for code in (ALL, *named)]

    def cover(self, source: Source, day: date) -> Cover:
        """What may enter of a source on a day."""
        if source.terms.legal_basis == "reference":
            return Cover(everything_of(source.name, day))
        return Cover({standing.organisation_code: standing for standing in self.standings(source.name, day)})

    def sources_for(self, purpose: str) -> frozenset[str]:
        """Sources that any row, whatever its dates, allows to be used for a purpose."""
        return frozenset(row.source for row in self.rows if purpose in row.purposes)

    def _speaking_for(self, source: str, organisation_code: str) -> tuple[Agreement, ...]:
        of_source = [row for row in self.rows if row.source == source]
        if not of_source:
            return tuple(row for row in self.rows if row.source == ALL)
        return tuple(row for row in of_source if row.organisation_code == organisation_code) or tuple(
            row for row in of_source if row.organisation_code == ALL
        )


def everything_of(source: str, day: date) -> dict[str, Standing]:
    """The standing of a source that needs no agreement: reference data, which is about nobody but those who object."""
    row = Agreement("", "", source, ALL, frozenset(), {}, frozenset(AGREED_PURPOSES), day, None, "", "reference")
    return {ALL: Standing(source, ALL, "in_force", (row,))}


@dataclass(frozen=True)
class Cover:
    """What may enter of one source on one day, by organisation; `ALL` stands for organisations that are not named."""

    by_organisation: Mapping[str, Standing]

    def of(self, organisation_code: str | None) -> Standing:
        code = organisation_code or ALL
        return self.by_organisation.get(code) or replace(self.by_organisation[ALL], organisation_code=code)

    @cached_property
    def _in_force(self) -> tuple[Standing, ...]:
        return tuple(standing for standing in self.by_organisation.values() if standing.state == "in_force")

    def why_not(self, table: str, organisation_code: str | None) -> str:
        """Why a table's file may not be read, in words; '' when it may. Without an organisation: a file of many of them."""
        standings = (self.of(organisation_code),) if organisation_code else self._in_force or (self.of(None),)
        for standing in standings:
            if standing.reason:
                return standing.reason
            if not any(row.shares_table(table) for row in standing.rows):
                ids = ", ".join(row.agreement_id for row in standing.rows)
                return f"the sharing agreement for {standing.source} ({ids}) does not cover table {table}"
        return ""

    def withheld_columns(self, table: Table, organisation_code: str | None) -> frozenset[str]:
        """Columns that are not shared and enter blank. Of a file of many organisations the narrowest agreement decides."""
        standings = (self.of(organisation_code),) if organisation_code else self._in_force
        return frozenset(
            column.name
            for column in table.columns
            if not all(any(row.shares_column(table.name, column.name) for row in s.rows) for s in standings)
        ) - structural_columns(table)

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever something else may enter."""
        said = [
            (
                code,
                standing.state,
                [(sorted(r.tables), sorted((t, *sorted(c)) for t, c in r.columns.items())) for r in standing.rows],
            )
            for code, standing in sorted(self.by_organisation.items())
        ]
        return hashlib.sha256(repr(said).encode()).hexdigest()


def structural_columns(table: Table) -> frozenset[str]:
    """Columns without which a row cannot be told from another, replayed or deleted; an agreement on the table covers them."""
    terms = table.terms
    names = [*terms.key, *terms.order_by, *(part for part in terms.window if not part.startswith("file:"))]
    names += [terms.deleted.column] if terms.deleted else []
    names += [c.name for c in table.columns if not c.terms.nullable or c.roles & {"record_id", "record_scope"}]
    return frozenset(names)


def read_agreements(path: Path, contracts: Mapping[str, Source], *, may_cover_any_source: bool) -> Agreements:
    """Read and check the file against the contracts.

    `may_cover_any_source` allows rows for any source (`*`), which only a demonstration may hold.
    Raises `AgreementError` naming the line and the column when the file is missing or a row cannot be used.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AgreementError(
            f"The sharing agreements {path} cannot be read ({error}); name the file with PHM_SHARING_AGREEMENTS. Without "
            "agreements nothing may enter (docs/governance.md)."
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    missing = [name for name in AGREEMENT_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise AgreementError(
            f"{path}, line 1: column {', '.join(missing)} is missing; the header is {','.join(AGREEMENT_COLUMNS)}."
        )
    rows = []
    for fields in reader:
        where = f"{path}, line {reader.line_num}"
        if None in fields or None in fields.values():
            raise AgreementError(
                f"{where}: the row does not have {len(reader.fieldnames or ())} fields; quote a value that holds a comma."
            )
        row = _row({name: value.strip() for name, value in fields.items()}, where)
        _check_names(row, contracts, where, may_cover_any_source=may_cover_any_source)
        rows.append(row)
    return Agreements(tuple(rows))


def _row(fields: Mapping[str, str], where: str) -> Agreement:
    for name in ("agreement_id", "party", "source", "organisation_code", "tables", "columns", "purposes", "legal_basis"):
        if not fields[name]:
            raise AgreementError(f"{where}: {name} is blank.")
    purposes = frozenset(_listed(fields["purposes"]))
    if unknown := sorted(purposes - set(AGREED_PURPOSES)):
        raise AgreementError(
            f"{where}: purpose {', '.join(unknown)} is not known; the purposes are {', '.join(AGREED_PURPOSES)}."
        )
    valid_from, valid_to = _date(fields["valid_from"], "valid_from", where), None
    if fields["valid_to"]:
        valid_to = _date(fields["valid_to"], "valid_to", where)
        if valid_to < valid_from:
            raise AgreementError(f"{where}: valid_to {valid_to} is before valid_from {valid_from}.")
    columns: dict[str, set[str]] = {}
    for name in () if fields["columns"] == ALL else _listed(fields["columns"]):
        table, _, column = name.partition(".")
        if not column:
            raise AgreementError(f"{where}: {name!r} in columns is not table.column; write * to share every column.")
        columns.setdefault(table, set()).add(column)
    return Agreement(
        fields["agreement_id"], fields["party"], fields["source"], fields["organisation_code"],
        frozenset(() if fields["tables"] == ALL else _listed(fields["tables"])),
        {table: frozenset(names) for table, names in columns.items()}, purposes, valid_from, valid_to,
        fields["cross_border_partner"], fields["legal_basis"],
        _date(fields[LIVE_FROM], LIVE_FROM, where) if fields.get(LIVE_FROM) else None,
    )  # fmt: skip


def _check_names(row: Agreement, contracts: Mapping[str, Source], where: str, *, may_cover_any_source: bool) -> None:
    if row.source == ALL:
        if not may_cover_any_source:
            raise AgreementError(
                f"{where}: source * covers whatever is delivered; only a demonstration may do that. Name the source."
            )
        if row.organisation_code != ALL or row.tables or row.columns:
            raise AgreementError(
                f"{where}: a row for any source covers all of it; write * for organisation_code, tables and columns."
            )
        return
    source = contracts.get(row.source)
    if source is None:
        raise AgreementError(f"{where}: there is no source {row.source!r}; the sources are {', '.join(sorted(contracts))}.")
    tables = {table.name: {column.name for column in table.columns} for table in source.tables}
    if unknown := sorted((row.tables | row.columns.keys()) - tables.keys()):
        raise AgreementError(f"{where}: {row.source} has no table {', '.join(unknown)}.")
    for table, names in row.columns.items():
        if strange := sorted(names - tables[table]):
            raise AgreementError(f"{where}: {row.source}.{table} has no column {', '.join(strange)}.")


def _listed(text: str) -> Iterable[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _date(text: str, name: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise AgreementError(f"{where}: {name} {text!r} is not a date; write it as 2026-04-01.") from error
