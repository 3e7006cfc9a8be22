"""Which field of a file is which column of the contract; the only place where headers are judged."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.landing.contract import Column, Table
from orchestration.landing.errors import Refusal
from orchestration.landing.intake import Intake

#: A record longer than this is malformed: an unclosed quote would otherwise swallow the rest of the file.
MAX_RECORD_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
#: What the name of a column looks like, and what it does not: a long number, a postcode.
_NAME = re.compile(r"[^\W\d][\w .,()/%&'?:#*+-]{0,99}")
_VALUE = re.compile(r"\d{5}|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", re.IGNORECASE)
_MOST_SHOWN = 10


@dataclass(frozen=True)
class Layout:
    """Fields of a record in file order: the contract's column name, or None for a field that is kept out."""

    fields: tuple[str | None, ...]
    #: Headers that no column answers to.
    extra: tuple[str, ...]
    #: The header as the supplier sent it, fields joined with '|'; '' when there is none.
    signature: str
    #: Physical lines before the first record.
    header_lines: int

    @property
    def present(self) -> frozenset[str]:
        return frozenset(name for name in self.fields if name)

    @property
    def told(self) -> str:
        """The signature, where it may be kept: not when it holds what a row says."""
        headers = self.signature.split("|")
        return self.signature if _are_names(headers) else shown(headers)


def shown(headers: Sequence[str]) -> str:
    """Headers as a message may show them.

    A first line that is no header, or that runs on into the first row, holds what the row says of somebody. A name or a town
    looks like the name of a column, so that all are withheld when one of them does not.
    """
    if not _are_names(headers):
        return f"{len(headers)} whose names are not shown, because they look like values of a row"
    return ", ".join(headers[:_MOST_SHOWN])


def _are_names(headers: Sequence[str]) -> bool:
    return all(_NAME.fullmatch(text) and not _VALUE.search(text) for text in headers if text)


def read_layout(table: Table, intake: Intake, name: str) -> Layout:
    """The layout of one CSV file. Raises `Refusal` when the header does not meet the contract."""
    form = table.terms.format
    if not form.header:
        return Layout(_by_position(table, None, name), (), "", 0)
    header, lines = _read_header(intake.path, form.delimiter, form.quote, name)
    signature = "|".join(header)
    if form.columns == "by_position":
        return Layout(_by_position(table, header, name), (), signature, lines)
    fields, extra = _by_name(table, header, name)
    return Layout(fields, extra, signature, lines)


def _read_header(path: Path, delimiter: str, quote: str, name: str) -> tuple[list[str], int]:
    with path.open("rb") as file:
        head = file.read(MAX_RECORD_BYTES)
    try:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, skipinitialspace=True)
        return [field.strip() for field in next(reader)], reader.line_num
    except (csv.Error, StopIteration) as error:
        raise Refusal(f"{name}, line 1: the header cannot be read ({error}); ask for the file again") from error


def _by_name(table: Table, header: list[str], name: str) -> tuple[tuple[str | None, ...], tuple[str, ...]]:
    places: dict[str, list[int]] = {}
    for place, text in enumerate(header):
        places.setdefault(text.casefold(), []).append(place)
    fields: list[str | None] = [None] * len(header)
    missing: list[Column] = []
    for column in table.columns:
        found = next((places[h.casefold()] for h in column.headers if h.casefold() in places), [])
        if len(found) > 1:
            raise Refusal(
                f"{name}, line 1: the header {header[found[0]]!r} appears {len(found)} times; a file with repeated names must be "
                f"read by position, set format.columns of {table.source}.{table.name} in the contract"
            )
        if found:
            fields[found[0]] = column.name
        elif column.terms.required:
            missing.append(column)
    if missing:
        raise Refusal(_missing_message(table, header, [c for c in fields if c], missing, name))
    extra = tuple(text for text, column in zip(header, fields, strict=True) if column is None and text)
    return tuple(fields), extra


def _missing_message(table: Table, header: list[str], known: Sequence[str], missing: list[Column], name: str) -> str:
    wanted = ", ".join(repr(column.header) for column in missing)
    if not known:
        expected = {h.casefold() for column in table.columns for h in column.headers}
        joined = table.terms.format.delimiter.join(header)
        for delimiter in _DELIMITERS:
            if delimiter != table.terms.format.delimiter and expected & {
                t.strip(' "').casefold() for t in joined.split(delimiter)
            }:
                return (
                    f"{name}, line 1: the fields are separated by {delimiter!r}, the contract of {table.source}.{table.name} "
                    f"says {table.terms.format.delimiter!r}; ask for the agreed delimiter or change format.delimiter"
                )
        return (
            f"{name}, line 1: no header; the first line names none of the columns of {table.source}.{table.name} "
            f"({wanted}); ask for the file with its header"
        )
    strangers = [text for text in header if text and text.casefold() not in _answering(table)]
    hint = f"; not in the contract: {shown(strangers)} (renamed? add an alias)" if strangers else ""
    return f"{name}, line 1: required column {wanted} of {table.source}.{table.name} is missing{hint}; ask for the file again"


def _answering(table: Table) -> set[str]:
    return {h.casefold() for column in table.columns for h in column.headers}


def _by_position(table: Table, header: list[str] | None, name: str) -> tuple[str | None, ...]:
    width = table.terms.format.width or 0
    if header is not None and len(header) != width:
        raise Refusal(
            f"{name}, line 1: {len(header)} columns, the contract of {table.source}.{table.name} says {width}; "
            "the file is read by position, so ask for the agreed layout"
        )
    fields: list[str | None] = [None] * width
    for column in table.columns:
        place = column.terms.position
        if place is None or not 0 <= place < width:
            raise Refusal(
                f"{table.source}.{table.name}.{column.name}: position {place} is outside the {width} columns of the file"
            )
        if header is not None and column.terms.header and header[place].casefold() not in {h.casefold() for h in column.headers}:
            found = repr(header[place]) if _are_names(header) else "another"
            raise Refusal(
                f"{name}, line 1: column {place} is {found}, the contract of {table.source}.{table.name} expects "
                f"{column.header!r}; the columns have moved, so ask for the agreed layout"
            )
        fields[place] = column.name
    return tuple(fields)
