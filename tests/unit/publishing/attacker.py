"""A reader who wants to know what was hidden, written apart from the engine: integer programming over everything published."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

MANY = 100_000


@dataclass
class Attacker:
    """Collects what is known of named counts, then asks for the least and greatest value of one.

    A figure of a count is known to within its rounding; a hidden count is at least 0. Sums tie a total to its parts.
    """

    hidden_to: int = 7
    round_base: int = 5
    ranges: dict[Hashable, tuple[int, int]] = field(default_factory=dict)
    sums: list[tuple[Hashable, Sequence[Hashable]]] = field(default_factory=list)

    def read(self, name: Hashable, figure: int | None) -> None:
        """One published cell; None is hidden."""
        if figure is None:
            least, most = 0, MANY
        elif figure == 0:
            least = most = 0
        else:
            preimage = [n for n in range(figure - self.round_base, figure + self.round_base + 1) if self.shown(n) == figure]
            least, most = preimage[0], preimage[-1]
        before = self.ranges.get(name, (0, MANY))
        self.ranges[name] = max(before[0], least), min(before[1], most)

    def shown(self, count: int) -> int | None:
        """What a count of people looks like in a table."""
        if 1 <= count <= self.hidden_to:
            return None
        return (count + self.round_base // 2) // self.round_base * self.round_base

    def add_up(self, total: Hashable, parts: Iterable[Hashable]) -> None:
        self.sums.append((total, list(parts)))

    def values(self, name: Hashable) -> range:
        """The values that fit, between the least and the greatest."""
        names = list(self.ranges)
        index = {known: i for i, known in enumerate(names)}
        rows = np.zeros((len(self.sums), len(names)))
        for row, (total, parts) in zip(rows, self.sums, strict=True):
            row[index[total]] -= 1
            for part in parts:
                row[index[part]] += 1
        bounds = Bounds(*np.array(list(self.ranges.values()), dtype=float).T)
        cost = np.zeros(len(names))
        cost[index[name]] = 1
        found = [
            milp(sign * cost, integrality=np.ones(len(names)), bounds=bounds, constraints=LinearConstraint(rows, 0, 0)).x
            for sign in (1, -1)
        ]
        assert all(x is not None for x in found), "what was published contradicts itself"
        least, most = (round(float(x[index[name]])) for x in found)
        return range(least, most + 1)


def recovered(attacker: Attacker, truth: Mapping[Hashable, int], hidden: Iterable[Hashable], *, needed: int) -> list[Hashable]:
    """Small hidden counts of which fewer than `needed` of the values 1 to `hidden_to` are left."""
    small = [name for name in hidden if 1 <= truth[name] <= attacker.hidden_to]
    secrets = set(range(1, attacker.hidden_to + 1))
    return [name for name in small if len(secrets & set(attacker.values(name))) < needed]
