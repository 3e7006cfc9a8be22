"""Rules on dates: nothing has happened yet that is dated after the delivery that reports it."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.rules import NoRows, Rule

#: Typing errors put a few dates into the future everywhere; more than this is a fault of the extract.
_TOLERANCE = 0.001


def future_date_rules(columns: Sequence[str], delivery_column: str) -> tuple[Rule, ...]:
    """One warning per date column that runs ahead of the delivery date, for columns that say when something happened."""
    return tuple(
        NoRows(
            severity="warning",
            tolerance=_TOLERANCE,
            title=f"not_in_future:{column}",
            condition=f'cast("{column}" as date) > "{delivery_column}"',
        )
        for column in columns
    )
