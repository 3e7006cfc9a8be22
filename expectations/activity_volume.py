"""Rules on how much arrived, against what the same window brought before."""

from __future__ import annotations

from expectations.rules import NoRows, Rule

#: A full delivery that has lost more than half of its rows is far likelier to be cut short than true.
_SHRINK_LIMIT = 0.5
#: One that has tripled deserves a look.
_GROWTH_LIMIT = 3
#: Below this, a window's size says nothing.
_SMALLEST = 100


def volume_rules() -> tuple[Rule, ...]:
    """Rules for rows of (n_rows, n_previous), one per full load and the full load of the same window before it.

    Deltas are not judged: a night may rightly bring nothing.
    """
    judged = f"n_previous >= {_SMALLEST}"
    return (
        NoRows(title="volume_not_halved", condition=f"{judged} and n_rows < {_SHRINK_LIMIT} * n_previous"),
        NoRows(severity="warning", title="volume_not_tripled", condition=f"{judged} and n_rows > {_GROWTH_LIMIT} * n_previous"),
    )
