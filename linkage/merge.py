"""Edges to clusters, strongest first, refusing what cannot be one person.

Connected components chain strangers together through one weak record. Here an edge joins two clusters only when nothing known
about either contradicts the other: it is Kruskal's algorithm with a veto. Edges are taken in the order of weight and then of the
groups' tokens, so the result depends on the data alone, not on the order of rows or on how they came in batches.

Two verified numbers are never a typing error of each other: modulus 11 catches every single wrong digit and every swap of two
neighbours, so a number mistyped like that is not valid, not verified, and weighed by edit distance instead (`nhs_number` in
`model`). Any two that reach the merge differ by more than a slip, and stand for two people.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from linkage.union_find import UnionFind

#: Why a join was refused, by the code in `Merged.refusal`; 0 is "not refused".
REFUSALS = ("", "two_numbers", "held_once", "death_dates", "cannot_link")

_NO_DAY = np.iinfo(np.int32).min


@dataclass(frozen=True)
class Groups:
    """What the merge must know of each group, one array element a group, numbered in the order of their tokens."""

    #: Verified NHS number as a number, 0 for none.
    number: np.ndarray
    #: One bit per source that holds a person once.
    once_bits: np.ndarray
    #: Days since 1970 of birth and of death; `Groups.NO_DAY` when unknown.
    birth_day: np.ndarray
    death_day: np.ndarray

    NO_DAY = _NO_DAY

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True)
class Merged:
    """The partition: `cluster[i]` is the smallest group number in the cluster of group i; one refusal code an edge."""

    cluster: np.ndarray
    refusal: np.ndarray


def read_groups(connection: duckdb.DuckDBPyConnection, query: str, order_by: str) -> Groups:
    """`Groups` of the rows of a query over `representative`, numbered from 0 in the order given."""
    # the number is held as a number of its own: equal numbers must be equal, and nothing else matters
    known = connection.execute(f"""
        select
            case when is_verified then cast(nhs_number as bigint) else 0 end as number,
            once_bits,
            coalesce(date_diff('day', date '1970-01-01', birth_date), {_NO_DAY}) as birth_day,
            coalesce(date_diff('day', date '1970-01-01', death_date), {_NO_DAY}) as death_day
        from ({query})
        order by {order_by}""").fetchnumpy()
    return Groups(*(plain(known[name]) for name in ("number", "once_bits", "birth_day", "death_day")))


def plain(values: np.ndarray) -> np.ndarray:
    """Whole numbers without the mask that DuckDB puts on a column that could be NULL."""
    return np.ma.getdata(values).astype(np.int64)


def merge(
    groups: Groups,
    edges: tuple[np.ndarray, np.ndarray, np.ndarray],
    *,
    must_link: np.ndarray,
    cannot_link: np.ndarray,
    death_tolerance_days: int,
) -> Merged:
    """Partition groups by edges (left, right, weight) under the constraints.

    `must_link` and `cannot_link` are arrays of pairs (n, 2). A must-link is taken before every edge and is refused only by a
    cannot-link: a person decided. Time is near-linear in the edges.
    """
    left, right, weight = edges
    must = np.unique(np.asarray(must_link, dtype=np.int64).reshape(-1, 2), axis=0)
    cannot = np.asarray(cannot_link, dtype=np.int64).reshape(-1, 2)
    order = np.lexsort((right, left, -weight))
    first = np.concatenate([must[:, 0], left[order]])
    second = np.concatenate([must[:, 1], right[order]])

    # only groups that some edge touches take part; Python lists are several times faster than arrays at single elements
    nodes, inverse = np.unique(np.concatenate([first, second]), return_inverse=True)
    a, b = inverse[: len(first)].tolist(), inverse[len(first) :].tolist()
    forest = _Forest(groups, nodes, cannot, death_tolerance_days)
    codes = [forest.join(a[i], b[i], is_decided=i < len(must)) for i in range(len(a))]

    cluster = np.arange(len(groups), dtype=np.int64)
    cluster[nodes] = nodes[forest.smallest_members()]
    refusal = np.zeros(len(left), dtype=np.uint8)
    refusal[order] = np.array(codes[len(must) :], dtype=np.uint8)
    return Merged(cluster, refusal)


class _Forest(UnionFind):
    """Union-find whose roots carry what is known of their cluster."""

    def __init__(self, groups: Groups, nodes: np.ndarray, cannot: np.ndarray, tolerance: int) -> None:
        super().__init__(len(nodes))
        self.number = groups.number[nodes].tolist()
        self.once = groups.once_bits[nodes].tolist()
        self.born = groups.birth_day[nodes].tolist()
        self.died = groups.death_day[nodes].tolist()
        self.tolerance = tolerance
        self.apart: dict[int, set[int]] = {}
        place = np.searchsorted(nodes, cannot)
        known = (place < len(nodes)).all(axis=1) if len(cannot) else np.zeros(0, dtype=bool)
        for (i, j), (x, y) in zip(place[known].tolist(), cannot[known].tolist(), strict=True):
            if nodes[i] == x and nodes[j] == y:
                self.apart.setdefault(i, set()).add(j)
                self.apart.setdefault(j, set()).add(i)

    def join(self, i: int, j: int, *, is_decided: bool) -> int:
        """Join the clusters of two nodes; the code says why not."""
        i, j = self.find(i), self.find(j)
        if i == j:
            return 0
        code = self._conflict(i, j)
        if code and (not is_decided or REFUSALS[code] == "cannot_link"):
            return code
        if self.size[i] < self.size[j]:
            i, j = j, i
        self.parent[j] = i
        self.size[i] += self.size[j]
        self.number[i] = self.number[i] or self.number[j]
        self.once[i] |= self.once[j]
        self.born[i] = max(self.born[i], self.born[j])
        self.died[i] = max(self.died[i], self.died[j])
        self._inherit_apart(i, j)
        return 0

    def _conflict(self, i: int, j: int) -> int:
        if i in self.apart and j in self.apart[i]:
            return REFUSALS.index("cannot_link")
        if self.number[i] and self.number[j] and self.number[i] != self.number[j]:
            return REFUSALS.index("two_numbers")
        if self.once[i] & self.once[j] and not (self.number[i] and self.number[i] == self.number[j]):
            return REFUSALS.index("held_once")
        both_died = self.died[i] != _NO_DAY and self.died[j] != _NO_DAY
        if both_died and abs(self.died[i] - self.died[j]) > self.tolerance:
            return REFUSALS.index("death_dates")
        if any(d != _NO_DAY and b > d for d, b in ((self.died[i], self.born[j]), (self.died[j], self.born[i]))):
            return REFUSALS.index("death_dates")
        return 0

    def _inherit_apart(self, i: int, j: int) -> None:
        theirs = self.apart.pop(j, None)
        if not theirs:
            return
        mine = self.apart.setdefault(i, set())
        for k in theirs:
            self.apart[k].discard(j)
            self.apart[k].add(i)
            mine.add(k)
