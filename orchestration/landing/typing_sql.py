"""SQL that turns a supplier's text into a typed value, and says why when it cannot.

Every column goes through three layers, each a sub-select, so that nothing is computed twice: text (`t_<column>`: trimmed,
blank and null values gone), value (`v_<column>`: typed), problem (the first thing wrong with the row).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from linkage.sql import ident, literal, literals
from orchestration.landing.contract import Column, Table

EARLIEST_DATE = date(1850, 1, 1)
#: Appointments, reviews and planned ends lie ahead of a delivery, but not for ever.
FUTURE = timedelta(days=731)

#: Birth dates that mean "not known" (HES 1800 and 1801, masked 1900, Wales 11/11/1811, HES 1582, open ends).
SENTINEL_BIRTH_DATES = ("1582-10-15", "1800-01-01", "1801-01-01", "1811-11-11", "1900-01-01", "2999-12-31", "9999-12-31")

_TRUE = ("true", "t", "1", "y", "yes")
_FALSE = ("false", "f", "0", "n", "no")

#: strptime directives that are digits of a fixed width; side by side they leave the reading of a short number open.
_DIGITS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "y": 2, "j": 3}


@dataclass(frozen=True)
class Fault:
    """One way in which a row can be wrong; `code` is a key of `quarantine.REASONS`."""

    column: str
    code: str
    reason: str
    condition: str


def text_name(column: Column) -> str:
    """The column's name in the text layer."""
    return ident(f"t_{column.name}")


def value_name(column: Column) -> str:
    """The column's name in the value layer."""
    return ident(f"v_{column.name}")


def _parsed_name(column: Column) -> str:
    """Dates and timestamps before implausible and sentinel values are taken out."""
    return ident(f"p_{column.name}")


def text_layer_sql(columns: tuple[Column, ...], present: frozenset[str], relation: str, *carried: str) -> str:
    """The text layer over a relation of the columns `present`: each value trimmed, NULL when blank or when the contract says that
    the value means nothing. `carried` columns come along as they are.
    """
    read = [column for column in columns if column.name in present]
    trimmed = [f"{_trimmed(ident(column.name))} as {text_name(column)}" for column in read]
    texts = [
        f"case when {text_name(c)} not in ({literals(['', *c.terms.null_values])}) then {text_name(c)} end as {text_name(c)}"
        if c.name in present
        else f"cast(null as varchar) as {text_name(c)}"
        for c in columns
    ]
    return (
        f"select {', '.join([*carried, *texts])} from (select {', '.join([*carried, *trimmed])} from {relation}) as trimmed_layer"
    )


def _trimmed(text: str) -> str:
    """`trim(text)`, which walks every character, only where there can be something to trim: trim also takes Unicode spaces."""
    may_have_spaces = f"starts_with({text}, ' ') or ends_with({text}, ' ') or strlen({text}) <> length({text})"
    return f"case when {may_have_spaces} then trim({text}) else {text} end"


def parsed_sql(column: Column) -> str | None:
    """For dates and timestamps, the text read by the first format that fits; None for other types."""
    if column.data_type not in ("date", "timestamp"):
        return None
    text = text_name(column)
    loose = [f for f in column.terms.format if _fixed_width(f) is None]
    tries = [f"try_strptime({text}, [{literals(loose)}])"] if loose else []
    tries += [
        f"case when length({text}) = {_fixed_width(f)} then try_strptime({text}, {literal(f)}) end"
        for f in column.terms.format
        if _fixed_width(f) is not None
    ]
    return f"cast(coalesce({', '.join(tries)}) as timestamp)"


def value_sql(column: Column) -> str:
    """The typed value, NULL when the text is not one."""
    text = text_name(column)
    match column.data_type:
        case "varchar":
            return text
        case "integer" | "bigint":
            number = f"try_cast({text} as {column.data_type})"
            # a cast also takes 1.5 and 1e3; the expression is only asked about a text that is not the number's own
            is_whole = f"cast({number} as varchar) = {text} then {number} when regexp_full_match({text}, '[+-]?[0-9]+')"
            return f"case when {is_whole} then {number} end"
        case "double":
            number = f"try_cast({text} as double)"
            return f"case when isfinite({number}) then {number} end"
        case "boolean":
            word = f"lower({text})"
            return f"case when {word} in ({literals(_TRUE)}) then true when {word} in ({literals(_FALSE)}) then false end"
    value = _parsed_name(column) if column.data_type == "timestamp" else f"cast({_parsed_name(column)} as date)"
    if "birth_date" in column.roles:
        return f"case when {value} not in ({literals(SENTINEL_BIRTH_DATES)}) then {value} end"
    return value


def plausible_dates(column: Column, delivery_date: date) -> tuple[date, date]:
    """The first and last day a date of this column may have; the contract's minimum and maximum come first."""
    first, last = column.terms.minimum, column.terms.maximum
    return (
        date.fromisoformat(first) if isinstance(first, str) else EARLIEST_DATE,
        date.fromisoformat(last) if isinstance(last, str) else delivery_date + FUTURE,
    )


def column_faults(column: Column, table: Table, delivery_date: date) -> list[Fault]:
    """What can be wrong with a column, worst first. Conditions speak of the text and value layers and of `_deleted`."""
    faults = []
    text, value, header = text_name(column), value_name(column), column.header
    if not column.terms.nullable:
        if column.name in table.terms.key:
            faults.append(Fault(column.name, "missing_value", f"{header} is blank, and the key needs it", f"{text} is null"))
        else:
            faults.append(Fault(column.name, "missing_value", f"{header} must have a value", f"{text} is null and not _deleted"))
    if column.data_type in ("date", "timestamp"):
        parsed = _parsed_name(column)
        first, last = plausible_dates(column, delivery_date)
        formats = " or ".join(column.terms.format)
        faults.append(
            Fault(
                column.name,
                f"bad_{column.data_type}",
                f"{header} is not a {column.data_type} of the form {formats}",
                f"{text} is not null and {parsed} is null",
            )
        )
        faults.append(
            Fault(
                column.name,
                "implausible_date",
                f"{header} is not between {first} and {last}",
                f"cast({value} as date) not between {literal(first.isoformat())}::date and {literal(last.isoformat())}::date",
            )
        )
    elif column.data_type != "varchar":
        words = {"integer": "a whole number", "bigint": "a whole number", "double": "a number", "boolean": "true or false"}
        faults.append(
            Fault(
                column.name,
                f"bad_{'integer' if column.data_type == 'bigint' else column.data_type}",
                f"{header} is not {words[column.data_type]}",
                f"{text} is not null and {value} is null",
            )
        )
    return faults


def deleted_sql(table: Table) -> str:
    """True for a row that deletes its key. Speaks of the text layer."""
    deleted = table.terms.deleted
    if deleted is None:
        return "false"
    text = text_name(table.column(deleted.column))
    return f"coalesce(lower({text}) in ({literals(v.lower() for v in deleted.values)}), false)"


def parsed_columns(columns: tuple[Column, ...]) -> list[str]:
    """Select list of the parsed layer."""
    return [f"{sql} as {_parsed_name(column)}" for column in columns if (sql := parsed_sql(column))]


def _fixed_width(fmt: str) -> int | None:
    """The only length a text of this format can have, when digits of two fields stand side by side; None otherwise."""
    if not re.search(r"%[YmdHMSyj]%[YmdHMSyj]", fmt):
        return None
    directives = re.findall(r"%(.)|(.)", fmt)
    if any(d and d not in _DIGITS for d, _ in directives):
        return None
    return sum(_DIGITS[d] if d else 1 for d, _ in directives)
