"""Codelist files that people have: an OpenCodelists download, or a Primary Care Domain reference set, in whatever shape it came.

Columns are found by their names, whatever their order, case and punctuation. Every fault is told with its line and column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.codelists.codes import normal_code

INCLUSION, RESOLUTION = CATEGORIES = ("INCLUSION", "RESOLUTION")

#: Faults that one message tells; the rest are counted.
_MOST_FAULTS = 10

# Names of columns, without case and punctuation. A name that says its system comes before one that does not.
_CODE_COLUMNS = {
    "snomed": ("snomedcode", "snomedctcode", "snomedctid", "snomedctconceptid", "snomedid", "conceptid", "sctid", "code", "id"),
    "dmd": ("dmdid", "dmdcode", "snomedcode", "code", "id"),
    "icd10": ("icd10code", "icd10", "icdcode", "icd", "code"),
}
_TERM_COLUMNS = (
    "term", "snomedcodedescription", "conceptiddescription", "fsn", "preferredterm", "dmdname", "icd10description",
    "codedescription", "description", "name", "nm",
)  # fmt: skip
_CLUSTER_COLUMNS = ("clusterid",)
_ACTIVE_COLUMNS = ("activeinrefset", "isactive")
_OTHER_SYSTEMS = {
    "ctv3id": "CTV3", "ctv3code": "CTV3", "readcode": "Read", "read2code": "Read", "bnfcode": "BNF", "medcode": "CPRD",
    "medcodeid": "CPRD",
}  # fmt: skip
_SYSTEM_COLUMNS = {
    "dmd": {"dmdid", "dmdcode"},
    "icd10": {"icd10code", "icd10", "icdcode", "icd"},
    "snomed": {"snomedctcode", "snomedctid", "snomedctconceptid", "conceptid"},
}
_ENCODINGS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class CodelistError(Exception):
    """A codelist that cannot be used; the message says which file, which line and what to do."""


@dataclass(frozen=True)
class Entry:
    """One code of a list, as the event tables hold it; `category` is one of `CATEGORIES`."""

    code: str
    term: str
    category: str


@dataclass(frozen=True)
class _Row:
    line: int
    values: Mapping[str, str]


@dataclass(frozen=True)
class _Sheet:
    """A delimited file: its columns by plain name, as they are written, and its rows."""

    path: Path
    columns: Mapping[str, str]
    rows: Sequence[_Row]

    def find(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self.columns), None)


def is_refset(path: Path) -> bool:
    """Whether the file holds the clusters of a Primary Care Domain reference set, rather than one list."""
    return _read(path).find(_CLUSTER_COLUMNS) is not None


def read_codelist(path: Path, system: str, category: str = INCLUSION) -> list[Entry]:
    """The entries of a file with one code a row, in the order of the file, each code once.

    A column `category` that holds `CATEGORIES` goes before `category`; any other is a grouping of the authors and is left out.

    Raises `CodelistError` naming each line that is no code of `system`.
    """
    sheet = _read(path)
    by_row = "category" in sheet.columns and all(row.values["category"].upper() in CATEGORIES for row in sheet.rows)
    return _entries(sheet, sheet.rows, system, [row.values["category"].upper() if by_row else category for row in sheet.rows])


def read_refset(path: Path) -> dict[str, list[Entry]]:
    """The entries of each cluster of a Primary Care Domain reference set, by cluster id in upper case; all are inclusions.

    A code listed for several outputs counts once, and one that is no longer in the reference set not at all.

    Raises `CodelistError` naming each line that is no SNOMED CT concept.
    """
    sheet = _read(path)
    cluster, active = sheet.find(_CLUSTER_COLUMNS), sheet.find(_ACTIVE_COLUMNS)
    if cluster is None:
        raise CodelistError(f"{path.name} has no column Cluster_ID, so it is no reference set; its columns are {_listed(sheet)}.")
    by_cluster: dict[str, list[_Row]] = {}
    for row in sheet.rows:
        if active is None or row.values[active].lower() not in ("0", "false"):
            by_cluster.setdefault(row.values[cluster].upper(), []).append(row)
    if "" in by_cluster:
        raise CodelistError(f"{path.name}, line {by_cluster[''][0].line}, column {sheet.columns[cluster]}: there is no cluster.")
    return {name: _entries(sheet, rows, "snomed", [INCLUSION] * len(rows)) for name, rows in by_cluster.items()}


def _entries(sheet: _Sheet, rows: Sequence[_Row], system: str, categories: Sequence[str]) -> list[Entry]:
    column = _code_column(sheet, system)
    term = sheet.find(_TERM_COLUMNS)
    found: dict[str, Entry] = {}
    faults: list[str] = []
    for row, category in zip(rows, categories, strict=True):
        where = f"line {row.line}, column {sheet.columns[column]}"
        try:
            code = normal_code(system, row.values[column])
        except ValueError as fault:
            faults.append(f"{where}: {fault}")
            continue
        entry = found.setdefault(code, Entry(code, row.values[term] if term else "", category))
        if entry.category != category:
            faults.append(f"{where}: {code} is listed as {entry.category} and as {category}")
    if faults:
        more = f"\n  and {len(faults) - _MOST_FAULTS:,} more" if len(faults) > _MOST_FAULTS else ""
        raise CodelistError(f"{sheet.path.name} cannot be used:\n  " + "\n  ".join(faults[:_MOST_FAULTS]) + more)
    if not found:
        raise CodelistError(f"{sheet.path.name} has no codes.")
    return list(found.values())


def _code_column(sheet: _Sheet, system: str) -> str:
    for other, names in _SYSTEM_COLUMNS.items():
        if other != system and names & sheet.columns.keys() and not _SYSTEM_COLUMNS[system] & sheet.columns.keys():
            raise CodelistError(
                f"{sheet.path.name} holds {other} codes ({_listed(sheet)}), and the list is one of {system} codes."
            )
    column = sheet.find(_CODE_COLUMNS[system])
    if column is None:
        foreign = next((_OTHER_SYSTEMS[name] for name in sheet.columns if name in _OTHER_SYSTEMS), None)
        hint = f" It holds {foreign} codes: download the {system} version." if foreign else ""
        raise CodelistError(f"{sheet.path.name} has no column of {system} codes; its columns are {_listed(sheet)}.{hint}")
    return column


def _listed(sheet: _Sheet) -> str:
    return ", ".join(sheet.columns.values())


def _read(path: Path) -> _Sheet:
    lines = _lines(path)
    try:
        header_line, header = next(lines)
    except StopIteration:
        raise CodelistError(f"{path.name} is empty.") from None
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    if len(header) > len(set(names)):
        raise CodelistError(f"{path.name}, line {header_line}: two columns have one name ({', '.join(header)}).")
    rows = []
    for line, values in lines:
        if len(values) != len(header):
            raise CodelistError(f"{path.name}, line {line}: {len(values)} values where the header has {len(header)} columns.")
        rows.append(_Row(line, dict(zip(names, (value.strip() for value in values), strict=True))))
    return _Sheet(path, dict(zip(names, header, strict=True)), rows)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and values of every line that is not blank."""
    text = _text(path)
    first = text.split("\n", 1)[0]
    delimiter = max("\t,;|", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        for values in reader:
            if any(value.strip() for value in values):
                yield reader.line_num, values
    except csv.Error as error:
        raise CodelistError(f"{path.name}, line {reader.line_num}: {error}.") from error


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CodelistError(f"{path} cannot be read: {error.strerror}.") from error
    if content[:2] == b"PK":
        raise CodelistError(f"{path.name} is a workbook or an archive; give the text or CSV file in it.")
    for encoding in (_ENCODINGS.get(content[:2], "utf-8-sig"), "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise CodelistError(f"{path.name} holds NUL characters: it is no text file, or it was damaged on its way.")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    raise CodelistError(f"{path.name} is neither UTF-8 nor Windows text.")
