"""Rules that follow from a source contract: what the supplier promised, asked of what landed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expectations.rules import Between, InSet, NotNull, Rule, Unique

#: Codes outside the published list are reported, not refused: a new code is news, not a fault.
_CODE_TOLERANCE = 0.001


@dataclass(frozen=True)
class ColumnFacts:
    """What a contract says of one landed column. `minimum` and `maximum` are numbers or ISO dates."""

    name: str
    is_required: bool = False
    values: tuple[str, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None


def contract_rules(
    key: Sequence[str], load_column: str, columns: Sequence[ColumnFacts], optional_key: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """Key complete and unique within a load, required columns filled, published codes and plausible ranges kept.

    The key and required columns are critical: landing quarantines rows that break them, so a failure means that our own door let
    something through. Codes and ranges are warnings. Columns in `optional_key` are part of a composite key and may be blank.
    """
    rules: list[Rule] = [NotNull(column=name) for name in key if name not in optional_key]
    rules.append(Unique(columns=(*key, load_column)))
    for column in columns:
        if column.is_required and column.name not in key:
            rules.append(NotNull(column=column.name))
        if column.values:
            rules.append(InSet(severity="warning", tolerance=_CODE_TOLERANCE, column=column.name, values=column.values))
        if column.minimum is not None or column.maximum is not None:
            rules.append(Between(severity="warning", column=column.name, minimum=column.minimum, maximum=column.maximum))
    return tuple(rules)
