"""Who may ask for names: people, the organisation they ask for, in which role, and until when.

Rows of a CSV file that the site keeps (`COLUMNS`). An organisation `*` speaks for every organisation, in a demonstration only.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path

COLUMNS = ("requester", "organisation_code", "role", "valid_from", "valid_to")
_ANY = "*"


class AccessError(Exception):
    """The register, or a request for names, cannot be used as it is; the message says what to do."""


class AccessRefused(Exception):
    """A request for names was refused, and logged."""


@dataclass(frozen=True)
class Access:
    """One row. A `valid_to` of None has no end."""

    requester: str
    organisation_code: str
    role: str
    valid_from: date
    valid_to: date | None


def read_access(path: Path, *, may_speak_for_any: bool) -> list[Access]:
    """Read the register. Raises `AccessError` naming the line of anything that is not as it should be."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise AccessError(f"{path}: the columns must be {', '.join(COLUMNS)}")
            return [_access(path, reader.line_num, row, may_speak_for_any) for row in reader]
    except FileNotFoundError as error:
        raise AccessError(
            f"there is no register of who may ask for names at {path}; write one with the columns {', '.join(COLUMNS)}"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AccessError(f"{path} cannot be read: {error}") from error


def why_not(rows: list[Access], requester: str, organisation_code: str, role: str, today: date) -> str:
    """Why somebody may not ask for an organisation in a role today, in words; '' when they may."""
    mine = [r for r in rows if r.requester == requester and r.organisation_code in (organisation_code, _ANY)]
    if not mine:
        return f"{requester} is not in the register for {organisation_code}"
    in_role = [r for r in mine if r.role.casefold() == role.casefold()]
    if not in_role:
        return f"{requester} is not in the register for {organisation_code} as {role!r}"
    if not any(r.valid_from <= today and (r.valid_to is None or today <= r.valid_to) for r in in_role):
        return f"the entry of {requester} for {organisation_code} as {role!r} is not in force on {today}"
    return ""


def _access(path: Path, line: int, row: dict[str, str | None], may_speak_for_any: bool) -> Access:
    values = {name: (row.get(name) or "").strip() for name in COLUMNS}
    for name in COLUMNS[:-1]:
        if not values[name]:
            raise AccessError(f"{path}, line {line}, column {name}: it is empty")
    if None in row:
        raise AccessError(f"{path}, line {line}: it has more values than there are columns")
    if values["organisation_code"] == _ANY and not may_speak_for_any:
        raise AccessError(f"{path}, line {line}, column organisation_code: name the organisation; {_ANY!r} is for demonstrations")
    dates: dict[str, date | None] = {"valid_to": None}
    for name in ("valid_from", "valid_to"):
        if values[name]:
            try:
                dates[name] = date.fromisoformat(values[name])
            except ValueError as error:
                raise AccessError(
                    f"{path}, line {line}, column {name}: {values[name]!r} is not a date; write it as 2026-04-01"
                ) from error
    valid_from = dates["valid_from"]
    assert valid_from is not None  # it is one of the columns that must not be empty
    return Access(values["requester"], values["organisation_code"], values["role"], valid_from, dates["valid_to"])
