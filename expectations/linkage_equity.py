"""Rules on how alike linkage serves the groups of a population: a release that leaves a group behind is not made."""

from __future__ import annotations

from collections.abc import Sequence

from expectations.rules import NoRows, NotNull, Rule

#: Characteristic, group and measure of a gap beyond its limit.
Gap = tuple[str, str, str]


def equity_rules(gaps: Sequence[Gap]) -> tuple[Rule, ...]:
    """Rules for rows of (characteristic, group_name, measure, is_breach), aggregates over many records.

    One rule asks of all rows; each of the `gaps` that the caller found gets one of its own, so that what stops a release has a
    name: a finding holds counts only.
    """
    return (
        NotNull(column="is_breach"),
        NoRows(title="every_group_within_its_limit", condition="is_breach"),
        *(NoRows(title=_named(*gap), condition=_condition(*gap)) for gap in gaps),
    )


def _named(characteristic: str, group: str, measure: str) -> str:
    what, whose = measure.replace("_", " "), characteristic.replace("_", " ")
    return f"{what} of {whose} {group!r} within the limit of seed linkage_equity_rule"


def _condition(characteristic: str, group: str, measure: str) -> str:
    quoted = [value.replace("'", "''") for value in (characteristic, group, measure)]
    return "is_breach and characteristic = '{}' and group_name = '{}' and measure = '{}'".format(*quoted)
