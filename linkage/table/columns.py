"""What the columns of a table of people mean: a mapping given in words, or recognised from their names.

A mapping is a dictionary from role to the columns that play it. Several columns may share a role: parts of a name are read one
after the other, lines of an address are compared one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from linkage.errors import LinkageError

#: Roles that a table has once, with the names under which their columns are recognised (lower case, letters and digits only).
KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "record_id": ("recordid", "recid", "rid", "id", "rowid", "uniqueid", "personrecordid"),
    "given_name": ("givenname", "givennames", "firstname", "forename", "forenames", "fname", "christianname", "first", "given"),
    "middle_names": ("middlename", "middlenames", "middleinitial", "mname", "middle", "secondname"),
    "family_name": ("familyname", "surname", "lastname", "sname", "lname", "last", "family"),
    "full_name": ("fullname", "name", "personname", "patientname"),
    "birth_date": ("birthdate", "dateofbirth", "dob", "birth", "bornon", "datebirth"),
    "birth_year": ("birthyear", "yearofbirth", "yob", "byear", "by", "dobyear"),
    "birth_month": ("birthmonth", "monthofbirth", "mob", "bmonth", "bm", "dobmon", "dobmonth"),
    "birth_day": ("birthday", "dayofbirth", "bday", "bd", "dobday"),
    "sex": ("sex", "gender", "sexcode", "gendercode"),
    "nhs_number": ("nhsnumber", "nhsno", "nhs"),
    "identifier": ("identifier", "socsecid", "ssn", "nationalid", "idnumber", "passportnumber", "insurancenumber", "nino"),
    "postcode": ("postcode", "postalcode", "zip", "zipcode", "plz", "postcodefake"),
    "address": ("address", "addressline", "street", "streetname", "streetaddress", "addr", "addressline1", "address1"),
    "phone": ("phone", "telephone", "phonenumber", "mobile", "tel", "phoneno"),
    "email": ("email", "emailaddress", "mail"),
}

#: Attributes that tell people apart though nothing is known of their form, recognised and compared as text ...
KNOWN_TEXTS = (
    "suburb", "town", "city", "village", "county", "state", "region", "district", "country", "locality", "parish", "residence",
    "place", "streetnumber", "housenumber", "birthplace", "placeofbirth", "birthparish", "birthtown", "birthcity", "birthcountry",
    "occupation", "profession", "job", "ethnicity", "race", "nationality", "religion", "addressline2", "addressline3", "address2",
    "address3", "maidenname", "fathername", "mothername", "mothersname", "fathersname", "spousename",
)  # fmt: skip

#: ... and as whole numbers.
KNOWN_NUMBERS = ("age", "ageyears")

#: Texts that say where somebody lives, which a household shares.
HOME_WORDS = (
    "suburb", "town", "city", "village", "county", "state", "region", "district", "country", "locality", "parish", "residence",
    "place", "street", "house", "address", "res",
)  # fmt: skip

_MANY = frozenset({"given_name", "middle_names", "family_name", "full_name", "identifier", "address", "phone"})

Columns = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Recognised:
    """A mapping, and what a reader should be told about how it came about."""

    columns: Columns
    notes: tuple[str, ...]


def parse_columns(text: str) -> Columns:
    """Read `role=column,role=first+second,text:occupation=job`; raises `LinkageError` naming the part that cannot be read."""
    columns: Columns = {}
    for part in filter(None, (p.strip() for p in text.split(","))):
        role, sign, names = (piece.strip() for piece in part.partition("="))
        if not sign or not role or not names:
            raise LinkageError(f"--columns: {part!r} is not of the form role=column")
        _add(columns, role, tuple(name.strip() for name in names.split("+")))
    return columns


def columns_from_document(document: object) -> Columns:
    """A mapping from parsed YAML or JSON: role -> column or list of columns. Raises `LinkageError` on anything else."""
    if not isinstance(document, Mapping):
        raise LinkageError("the column mapping must be a list of `role: column` lines")
    columns: Columns = {}
    for role, names in document.items():
        listed = [names] if isinstance(names, str) else names
        if not isinstance(listed, Sequence) or not listed or not all(isinstance(name, str) for name in listed):
            raise LinkageError(f"the column mapping: {role!r} must name a column or a list of columns")
        _add(columns, str(role), tuple(listed))
    return columns


def _add(columns: Columns, role: str, names: tuple[str, ...]) -> None:
    if role not in KNOWN_NAMES and role != "ignore" and not re.fullmatch(r"(text|number):\w+", role):
        raise LinkageError(
            f"the column mapping: {role!r} is not a role. "
            f"Roles are {', '.join(KNOWN_NAMES)}, text:<name>, number:<name> and ignore"
        )
    if role in columns:
        raise LinkageError(f"the column mapping: {role!r} is given twice; join its columns with +")
    if len(names) > 1 and role not in _MANY and role != "ignore":
        raise LinkageError(f"the column mapping: {role!r} takes one column, not {len(names)}")
    columns[role] = names


def recognise(header: Sequence[str], given: Columns) -> Recognised:
    """Complete a mapping by the names of the columns nobody mapped.

    A role that the mapping gives is left alone, and so is a role that two columns could play: that is said in the notes. Raises
    `LinkageError` when the mapping names a column that is not there, or when nothing that identifies people is left.
    """
    # a header written with spaces after its commas is meant without them
    exact = {name.strip(): name for name in header} | {name: name for name in header}
    missing = [name for names in given.values() for name in names if name not in exact]
    if missing:
        raise LinkageError(
            f"the column mapping names {_listed(missing)}, which the table has not; its columns are {_listed(header)}"
        )
    given = {role: tuple(exact[name] for name in names) for role, names in given.items()}
    taken = {name for names in given.values() for name in names}
    columns = {role: names for role, names in given.items() if role != "ignore"}
    notes: list[str] = []
    candidates = _candidates([name for name in header if name not in taken])
    for role, names in candidates.items():
        if role in columns:
            continue
        if len(names) > 1 and role not in _MANY:
            notes.append(f"{_listed(names)} could each be the {role}; none was used: say which with --columns {role}=...")
            continue
        columns[role] = tuple(names)
    if "full_name" in columns and ("given_name" in columns or "family_name" in columns) and "full_name" not in given:
        notes.append(f"{_listed(columns.pop('full_name'))} was not used, because its parts are there")
    used = {name for names in columns.values() for name in names}
    notes += [f"{role} is read from {_listed(names)}" for role, names in columns.items() if role not in given]
    unused = [name for name in header if name not in used]
    if unused:
        notes.append(f"not used: {_listed(unused)}; map what tells people apart with --columns text:<name>=<column>")
    if not set(columns) - {"record_id", "sex"}:
        raise LinkageError(
            f"no column says who somebody is; the columns are {_listed(header)}. Map them, for example --columns "
            "given_name=...,family_name=...,birth_date=..."
        )
    return Recognised(columns, tuple(notes))


def _candidates(free: Sequence[str]) -> dict[str, list[str]]:
    """Roles and the columns whose names speak for them."""
    by_known = {known: role for role, names in KNOWN_NAMES.items() for known in names}
    candidates: dict[str, list[str]] = {}
    for name in free:
        # numbered parts of one thing, as in fname_c1 and fname_c2, are that thing
        bare = re.sub(r"[^a-z0-9]", "", name.lower())
        role = by_known.get(bare) or by_known.get(re.sub(r"c?[1-9]$", "", bare))
        if role is None and bare in KNOWN_TEXTS:
            role = f"text:{bare}"
        if role is None and bare in KNOWN_NUMBERS:
            role = f"number:{bare}"
        if role is not None:
            candidates.setdefault(role, []).append(name)
    return candidates


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)
