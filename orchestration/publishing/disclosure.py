"""Statistical disclosure control: which counts may be shown, and how.

A system of counts goes in (true values, and the equations that tie totals to their parts, in every table at once), and out comes
which of them to hide. What is shown is rounded; what is hidden is nothing at all, never 0.

**The reader to be feared** has every published figure of every table, knows the policy and how this module works, knows that
counts are whole numbers that are not negative, and knows which hidden counts are small and which only protect a neighbour. From
that follows, for each hidden count, a range of values that fit everything published: a shown count is known to within its
rounding, totals tie them together.

**A count is recovered** when fewer than `Policy.protected_values` of the values that the policy hides (1 to 7, say) still fit.
The default protects them all: figures must not tell a reader more about a hidden count than the mark does. The range is that of
whole numbers: found by passing bounds along the equations, which is exact where they form no circle (a hierarchy), and by integer
programming where they do (a table with totals both ways). Equations of other releases are followed by bounds alone.

Method: Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 4 (primary and secondary suppression, protection
levels, the attacker's problem, linked tables; rounding). The choice of what to hide is a heuristic, the audit of the result is
not: hiding goes on until nothing is recovered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

#: Stands for "no upper limit": above any count, and small enough for sums of it to stay exact in a double.
UNLIMITED = 2**36

_PASSES = 40
_SECONDS_PER_SEARCH = 20
_FAR_ABOVE = 1_000_000
_TOLERANCE = 1e-6


class DisclosureError(Exception):
    """Counts that cannot be published safely; the message says what is wrong with them."""


@dataclass(frozen=True)
class Policy:
    """A rule set for counts of people. A row of the seed `disclosure_policy`.

    Counts from `hidden_from` to `hidden_to` are hidden, others shown as the nearest multiple of `round_base` (1: as they are).
    `has_secondary` hides further counts until no hidden one can be worked out, down to `protected_values` values left to a
    reader. A rate is shown for denominators of at least `min_denominator`.
    """

    code: str
    hidden_from: int
    hidden_to: int
    round_base: int
    has_secondary: bool
    protected_values: int
    min_denominator: int

    def __post_init__(self) -> None:
        """Refuse a policy that would contradict itself: hide nothing, or show a count of people as 0."""
        n_hidden = self.hidden_to - self.hidden_from + 1
        problem = None
        if self.hidden_from not in (0, 1) or n_hidden < 1:
            problem = "hides from 0 or 1 up to a number that is not below it"
        elif self.round_base < 1 or self.hidden_to + 1 < self.round_base - self.round_base // 2:
            problem = "rounds to 1 or more, and never a shown count to 0"
        elif not 1 <= self.protected_values <= n_hidden:
            problem = f"protects 1 to {n_hidden} values, the number it hides"
        if problem:
            raise DisclosureError(f"Disclosure policy {self.code!r}: a policy {problem}.")

    def is_small(self, counts: np.ndarray) -> np.ndarray:
        """Which counts the policy hides for what they are."""
        return (counts >= self.hidden_from) & (counts <= self.hidden_to)

    def rounded(self, counts: np.ndarray) -> np.ndarray:
        """Counts as they are shown; half-way goes up."""
        return (counts + self.round_base // 2) // self.round_base * self.round_base

    def shown_range(self, figures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest count that is shown as each of `figures`."""
        return shown_range(figures, self.hidden_to, self.round_base)


def shown_range(figures: np.ndarray, hidden_to: int | np.ndarray, round_base: int | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest count that is shown as each of `figures`, under a policy or under one for each."""
    least = np.maximum(figures - round_base // 2, hidden_to + 1)
    return np.where(figures == 0, 0, least), np.where(figures == 0, 0, figures + (round_base - 1) // 2)


@dataclass(frozen=True)
class Equations:
    """Totals and their parts: one entry per equation and count in it; an equation's entries, signed, sum to 0.

    `sign` is 1 for a part and -1 for the total. `equation` counts from 0.
    """

    equation: np.ndarray
    cell: np.ndarray
    sign: np.ndarray

    @property
    def n(self) -> int:
        return int(self.equation.max()) + 1 if self.equation.size else 0

    def sums(self, values: np.ndarray) -> np.ndarray:
        """The signed sum of each equation."""
        return np.bincount(self.equation, self.sign * values[self.cell], self.n)

    def matrix(self, n_cells: int) -> csr_array:
        """One row per equation, one column per count."""
        return csr_array((self.sign, (self.equation, self.cell)), (self.n, n_cells))


@dataclass(frozen=True)
class Counts:
    """Counts to be published, one element per count.

    `is_published` is false for a count that no table holds but subtraction gives (a whole without its part). `is_fixed` marks
    what is not for us to decide, such as a figure of an earlier release: it lies from `known_least` to `known_most`, and so does
    any other count of which other releases told. `follows` is the index of the count of people behind a count of something else
    (contacts, say), which is hidden with it; -1 for none.
    """

    value: np.ndarray
    equations: Equations
    is_published: np.ndarray
    is_fixed: np.ndarray
    known_least: np.ndarray
    known_most: np.ndarray
    follows: np.ndarray

    @property
    def is_ours(self) -> np.ndarray:
        """Which equations have no fixed count."""
        return np.bincount(self.equations.equation, self.is_fixed[self.equations.cell], self.equations.n) == 0

    @classmethod
    def of(cls, value: np.ndarray, equations: Equations) -> Counts:
        """Counts that are all published, of which nothing else is known."""
        n = len(value)
        return cls(
            value=np.asarray(value, dtype=np.int64),
            equations=equations,
            is_published=np.ones(n, dtype=bool),
            is_fixed=np.zeros(n, dtype=bool),
            known_least=np.zeros(n, dtype=np.int64),
            known_most=np.full(n, UNLIMITED, dtype=np.int64),
            follows=np.full(n, -1),
        )


def protect(counts: Counts, policy: Policy) -> np.ndarray:
    """Which counts to hide, as booleans.

    A small count is hidden; where a total is small, its parts are hidden whole, zeros included, because they would tell who of
    the few is where. Then, as often as a hidden count is recovered, the smallest count that keeps it is hidden too. A zero is
    shown otherwise.

    Raises `DisclosureError` when totals are not the sums of their parts: nothing true can be said of such counts.
    """
    n_wrong = np.count_nonzero(counts.equations.sums(counts.value)[counts.is_ours])
    if n_wrong:
        raise DisclosureError(f"{n_wrong} totals are not the sums of their parts.")
    return _Suppression(counts, policy, policy.is_small(counts.value) | ~counts.is_published).run()


def unprotected(counts: Counts, policy: Policy, hidden: np.ndarray) -> np.ndarray:
    """Which hidden counts a reader recovers, as booleans: the audit alone."""
    return _Suppression(counts, policy, hidden | ~counts.is_published).recovered(np.zeros_like(hidden))


def feasible_range(least: np.ndarray, most: np.ndarray, equations: Equations) -> tuple[np.ndarray, np.ndarray]:
    """Narrow the range of each count by every equation, again and again until nothing moves.

    Exact for whole numbers when the equations form no circle; otherwise the result holds the exact range.
    """
    least, most = least.astype(np.float64), most.astype(np.float64)
    equation, cell, sign = equations.equation, equations.cell, equations.sign
    is_part = sign > 0
    for _ in range(_PASSES):
        low = np.where(is_part, least[cell], -most[cell])
        high = np.where(is_part, most[cell], -least[cell])
        others_low = np.bincount(equation, low, equations.n)[equation] - low
        others_high = np.bincount(equation, high, equations.n)[equation] - high
        narrower_least, narrower_most = least.copy(), most.copy()
        np.maximum.at(narrower_least, cell, np.where(is_part, -others_high, others_low))
        limit = np.where(is_part, -others_low, others_high)
        np.minimum.at(narrower_most, cell, np.where(limit > UNLIMITED / 2, UNLIMITED, limit))
        if (narrower_least == least).all() and (narrower_most == most).all():
            break
        least, most = narrower_least, narrower_most
    return least.astype(np.int64), most.astype(np.int64)


class _Suppression:
    """One run over one system. `hidden` grows; everything else follows from it."""

    def __init__(self, counts: Counts, policy: Policy, hidden: np.ndarray) -> None:
        self.counts, self.policy, self.hidden = counts, policy, hidden & ~counts.is_fixed
        equations = counts.equations
        self.is_small = policy.is_small(counts.value) & ~counts.is_fixed
        # Nobody knows any more whether what an earlier release hid was small: it is protected, by bounds, as if it may have been.
        self.was_hidden = counts.is_fixed & (counts.known_most >= UNLIMITED)
        self.is_ours = counts.is_ours
        self.is_under_small = self._parts_of_small_totals()
        self.entries_of_cell = _Groups(equations.cell, len(counts.value))
        self.entries_of_equation = _Groups(equations.equation, equations.n)

    def run(self) -> np.ndarray:
        """Hide until nothing is recovered, or nothing more can be hidden."""
        if self.policy.has_secondary:
            self.hidden |= self.is_under_small
        self._hide_with_people()
        beyond_help = np.zeros(len(self.hidden), dtype=bool)
        while self.policy.has_secondary and (recovered := self.recovered(beyond_help)).any():
            beyond_help |= self._hide_neighbours(recovered)
            self._hide_with_people()
        return self.hidden & self.counts.is_published

    def recovered(self, ignored: np.ndarray) -> np.ndarray:
        """Which hidden counts, but for some, can be worked out: by bounds first, and when those find nothing, exactly."""
        self.prior = self._prior(self.hidden)
        self.least, self.most = feasible_range(*self.prior, self.counts.equations)
        targets = self._targets() & ~ignored
        found = targets & self._is_too_few(self._n_values(self.least, self.most))
        return found if found.any() else self._recovered_in_circles(targets & ~self.was_hidden)

    def _parts_of_small_totals(self) -> np.ndarray:
        """Every count below a small total, at any depth. They are no larger than it, so they are small or zero themselves."""
        counts, equations = self.counts, self.counts.equations
        is_total = equations.sign < 0
        covered = np.zeros(len(counts.value), dtype=bool)
        for _ in range(_PASSES):
            hides = (self.is_small & (counts.value > 0) | covered) & counts.is_published & ~counts.is_fixed
            has_small_total = np.zeros(equations.n, dtype=bool)
            has_small_total[equations.equation[is_total & hides[equations.cell]]] = True
            parts = equations.cell[~is_total & has_small_total[equations.equation]]
            if covered[parts].all():
                break
            covered[parts] = True
        return covered & ~counts.is_fixed

    def _hide_with_people(self) -> None:
        follows = self.counts.follows
        self.hidden |= (follows >= 0) & self.hidden[follows]

    def _targets(self) -> np.ndarray:
        """What must not be worked out: small counts of at least one, and counts of anything behind which there are few people."""
        counts = self.counts
        is_of_few = (counts.follows >= 0) & self.is_small[counts.follows] & (counts.value > self.policy.hidden_to)
        return self.hidden & (self.is_small | is_of_few) | self.was_hidden

    def _is_too_few(self, n_values: np.ndarray) -> np.ndarray:
        """Whether so few values are too few; what was hidden and cannot be small any more gives nothing away."""
        return (n_values < self.policy.protected_values) & ~(self.was_hidden & (n_values < 1))

    def _n_values(self, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """How many of the values to be protected lie in the ranges."""
        policy = self.policy
        within = np.minimum(most, policy.hidden_to) - np.maximum(least, policy.hidden_from) + 1
        return np.where(self.is_small | self.was_hidden, within, most - least + 1)

    def _prior(self, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The range of each count before any equation is used, if `hidden` were hidden."""
        counts, policy = self.counts, self.policy
        least, most = policy.shown_range(policy.rounded(counts.value))
        is_large = ~self.is_small & (counts.value > 0)
        # Nothing marks a count that is not published or not of people: it may be anything.
        is_unmarked = ~counts.is_published | (counts.follows >= 0)
        least_hidden = np.where(is_large, policy.hidden_to + 1, np.where(self.is_under_small, 0, policy.hidden_from))
        most_hidden = np.where(is_large, UNLIMITED, policy.hidden_to)
        least = np.where(hidden, np.where(is_unmarked, 0, least_hidden), least)
        most = np.where(hidden, np.where(is_unmarked, UNLIMITED, most_hidden), most)
        least, most = np.where(counts.is_fixed, 0, least), np.where(counts.is_fixed, UNLIMITED, most)
        return np.maximum(least, counts.known_least), np.minimum(most, counts.known_most)

    def _hide_neighbours(self, recovered: np.ndarray) -> np.ndarray:
        """Hide one more count for each recovered one, unless an equation of it has just got one. Returns those beyond help."""
        counts = self.counts
        can_hide = counts.is_published & ~counts.is_fixed & ~self.hidden & (counts.value > 0)
        if_hidden = self._prior(np.ones_like(self.hidden))
        gain = np.where(can_hide, self.prior[0] - if_hidden[0], 0), np.where(can_hide, if_hidden[1] - self.prior[1], 0)
        told_by_bounds = self._is_too_few(self._n_values(self.least, self.most))
        touched = np.zeros(counts.equations.n, dtype=bool)
        beyond_help = np.zeros(len(self.hidden), dtype=bool)
        for target in np.flatnonzero(recovered):
            mine = counts.equations.equation[self.entries_of_cell[[target]]]
            if touched[mine].any():
                continue
            by_bounds = told_by_bounds[target]
            neighbour = self._reason(target, gain) if by_bounds else self._binding_figure(target, gain)
            if neighbour is None:
                beyond_help[target] = True
                continue
            self.hidden[neighbour] = True
            touched[counts.equations.equation[self.entries_of_cell[[neighbour]]]] = True
        return beyond_help

    def _reason(self, target: int, gain: tuple[np.ndarray, np.ndarray]) -> int | None:
        """The smallest count whose figure is, by the fewest steps, a reason for the bounds of the target; None for none.

        Bounds come from equations whose other counts are bounded, by their figures or by equations in turn. Where no such chain
        leads to a figure that can be taken away, no hiding helps.
        """
        low, high = self.least[target] > self._lowest(target), self.most[target] < self._highest(target)
        level = [(target, side) for side, is_short in ((0, low), (1, high)) if is_short]
        seen = set(level)
        while level:
            choice, deeper = [], []
            for cell, side in level:
                for other, its_side in self._others_that_bind(cell, side):
                    if gain[its_side][other] > 0:
                        choice.append(other)
                    elif (other, its_side) not in seen:
                        seen.add((other, its_side))
                        deeper.append((other, its_side))
            if choice:
                return min(choice, key=lambda cell: (self.counts.value[cell], cell))
            level = deeper
        return None

    def _others_that_bind(self, cell: int, side: int) -> Iterator[tuple[int, int]]:
        """The other counts of the equations that give the least (side 0) or most (side 1) of `cell`, each with its side."""
        equations = self.counts.equations
        bounds = self.least, self.most
        for entry in self.entries_of_cell[[cell]]:
            entries = self.entries_of_equation[[equations.equation[entry]]]
            others = entries[entries != entry]
            is_same = equations.sign[others] == equations.sign[entry]
            cells, sides = equations.cell[others], np.where(is_same, 1 - side, side)
            values = np.where(sides == 1, bounds[1][cells], bounds[0][cells])
            if np.where(is_same, -values, values).sum() == bounds[side][cell]:
                yield from zip(cells.tolist(), sides.tolist(), strict=True)

    def _lowest(self, target: int) -> int:
        return self.policy.hidden_from if self.is_small[target] or self.was_hidden[target] else 0

    def _highest(self, target: int) -> int:
        return self.policy.hidden_to if self.is_small[target] or self.was_hidden[target] else UNLIMITED

    def _binding_figure(self, target: int, gain: tuple[np.ndarray, np.ndarray]) -> int | None:
        """The smallest count whose figure limits the target in the relaxation to real numbers; None for none.

        A figure limits it when the least or greatest value of the target would move with it: its marginal is not 0.
        """
        least, most = self.prior
        matrix = self.counts.equations.matrix(len(least))
        bounds = np.column_stack([least, np.where(most >= UNLIMITED, np.inf, most)])
        cost = np.arange(len(least)) == target
        choice: list[int] = []
        for direction in (1, -1):
            found = linprog(direction * cost, A_eq=matrix, b_eq=np.zeros(matrix.shape[0]), bounds=bounds, method="highs")
            if found.success:
                moves = (found.lower.marginals > _TOLERANCE) & (gain[0] > 0) | (found.upper.marginals < -_TOLERANCE) & (
                    gain[1] > 0
                )
                choice += np.flatnonzero(moves).tolist()
        return min(choice, key=lambda cell: (self.counts.value[cell], cell), default=None)

    def _recovered_in_circles(self, targets: np.ndarray) -> np.ndarray:
        """The exact audit of the parts of the system where equations form circles, one connected part at a time.

        Equations of other releases take part through the bounds that they give: with them all the search would take minutes.
        """
        recovered = np.zeros_like(targets)
        equations = self.counts.equations
        is_open = (self.least < self.most)[equations.cell]
        entries = np.flatnonzero(is_open & self.is_ours[equations.equation])
        in_circle = _in_circle(equations.equation[entries], equations.cell[entries])
        if not in_circle.any():
            return recovered
        n_cells = len(targets)
        graph = csr_array(
            (np.ones(len(entries)), (equations.cell[entries], n_cells + equations.equation[entries])),
            shape=(n_cells + equations.n, n_cells + equations.n),
        )
        label = connected_components(graph, directed=False)[1]
        circular = np.unique(label[equations.cell[entries[in_circle]]])
        for part in np.intersect1d(circular, label[np.flatnonzero(targets)]):
            cells = np.flatnonzero(label[:n_cells] == part)
            recovered[cells] = self._search(cells, np.flatnonzero(label[n_cells:] == part), targets[cells])
        return recovered

    def _search(self, cells: np.ndarray, rows: np.ndarray, is_target: np.ndarray) -> np.ndarray:
        """Which targets of a connected part are recovered, by integer programming.

        Every solution is a set of counts that fits all figures, so it is a witness for each target at once; a target for which
        the witnesses do not do is searched for by itself. One that the solver does not settle in time counts as recovered.
        """
        solve = _WholeNumbers(self.counts.equations, cells, rows, self.least, self.most)
        least = most = self.counts.value[cells]
        recovered = np.zeros_like(is_target)
        together = True
        while (lacking := is_target & ~recovered & self._lacks(cells, least, most)).any():
            chosen = lacking if together else np.arange(len(cells)) == np.argmax(lacking)
            for direction in (1, -1):
                solution = solve(direction * chosen)
                if solution is not None:
                    least, most = np.minimum(least, solution), np.maximum(most, solution)
            still = lacking & self._lacks(cells, least, most)
            if not together:
                recovered |= chosen & still
            together = together and still.sum() < lacking.sum()
        return recovered

    def _lacks(self, cells: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Which of `cells` have too few values in ranges given for them alone."""
        ranges = np.zeros((2, len(self.hidden)), dtype=np.int64)
        ranges[:, cells] = least, most
        return self._n_values(*ranges)[cells] < self.policy.protected_values


class _WholeNumbers:
    """The counts of one connected part that fit its equations, within ranges: asked for the one of least cost."""

    def __init__(self, equations: Equations, cells: np.ndarray, rows: np.ndarray, least: np.ndarray, most: np.ndarray) -> None:
        place = np.full(len(least), -1)
        place[cells] = np.arange(len(cells))
        row = np.full(equations.n, -1)
        row[rows] = np.arange(len(rows))
        inside = row[equations.equation] >= 0
        known = inside & (place[equations.cell] < 0)
        constant = np.bincount(
            row[equations.equation[known]], equations.sign[known] * least[equations.cell[known]], minlength=len(rows)
        )
        inside &= ~known
        matrix = csr_array(
            (equations.sign[inside], (row[equations.equation[inside]], place[equations.cell[inside]])), (len(rows), len(cells))
        )
        self._constraint = LinearConstraint(matrix, -constant, -constant)
        self._bounds = Bounds(least[cells], np.where(most[cells] >= UNLIMITED, np.inf, most[cells]))

    def __call__(self, cost: np.ndarray) -> np.ndarray | None:
        """Whole numbers of least cost; None when the solver finds none in time."""
        # Without an upper limit a maximum may not exist; any value far above what is protected is as good.
        ceiling = np.where(np.isinf(self._bounds.ub) & (cost < 0), self._bounds.lb + _FAR_ABOVE, self._bounds.ub)
        # Real numbers are far quicker to search, and what is best of them is nearly always whole.
        for integrality in (0, 1):
            found = milp(
                cost,
                integrality=np.full(len(cost), integrality),
                bounds=Bounds(self._bounds.lb, ceiling),
                constraints=self._constraint,
                options={"time_limit": _SECONDS_PER_SEARCH},
            )
            if found.x is not None and np.abs(found.x - np.rint(found.x)).max() < _TOLERANCE:
                return np.rint(found.x).astype(np.int64)
        return None


class _Groups:
    """Positions of each key: `groups[keys]` gives the positions of all of them, in one array."""

    def __init__(self, keys: np.ndarray, n: int) -> None:
        self._order = np.argsort(keys, kind="stable")
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n))])

    def __getitem__(self, keys: Sequence[int] | np.ndarray) -> np.ndarray:
        return np.concatenate([self._order[self._starts[key] : self._starts[key + 1]] for key in keys])


def _in_circle(equation: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Which entries stay when ends (a count in one equation, an equation of one count) are cut off while there are any."""
    stays = np.ones(len(equation), dtype=bool)
    while stays.any():
        is_end = (np.bincount(equation[stays])[equation[stays]] == 1) | (np.bincount(cell[stays])[cell[stays]] == 1)
        if not is_end.any():
            break
        stays[np.flatnonzero(stays)[is_end]] = False
    return stays
