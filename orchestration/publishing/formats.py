"""Values as a British reader expects to see them, in text and in tables."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

NOTHING = "–"
HIDDEN = "hidden"


def format_value(value: Any, is_hidden: bool = False) -> str:
    """1,234 · 12.3 · 31 March 2026 · yes/no · – for nothing · hidden for what disclosure control took away.

    A DECIMAL has the decimals of its type: `try_cast(ratio as decimal(9, 2))` is shown as 1.07.
    """
    if is_hidden:
        return HIDDEN
    match value:
        case None:
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case decimal.Decimal():
            return f"{value:,}"
        case datetime.datetime():
            return f"{value.day} {value:%B %Y, %H:%M}"
        case datetime.date():
            return f"{value.day} {value:%B %Y}"
        case _:
            return str(value)


def format_percent(part: float | None, whole: float | None = 1) -> str:
    """`part` of `whole` as a percentage with one decimal; – when there is no whole."""
    return NOTHING if part is None or not whole else f"{100 * part / whole:.1f}%"


def is_number(value: Any) -> bool:
    """Whether a value is written to the right, as figures are."""
    return isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool)


def exact_value(value: Any) -> str | None:
    """The value for a spreadsheet or for sorting, where the words say less or otherwise; None where they say it all."""
    match value:
        case None:
            return ""
        case float() | decimal.Decimal():
            return f"{value:.10g}"
        case datetime.datetime():
            return value.isoformat(sep=" ", timespec="seconds")
        case datetime.date():
            return value.isoformat()
        case _:
            return None
