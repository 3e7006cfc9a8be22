"""Weighed pairs to people: strongest first, and only while the two groups as wholes agree.

Connected components let one weak pair join two crowds. Here two groups are joined when the mean weight of all pairs across them,
each within bounds so that no single pair decides, is not against it.
"""

from __future__ import annotations

import numpy as np

from linkage.union_find import UnionFind

#: One pair says at most this much, in bits, for or against two groups being one person.
MOST_SAID = 12.0


def partition(
    n: int,
    left: np.ndarray,
    right: np.ndarray,
    weight: np.ndarray,
    *,
    least_weight: float,
    least_mean: float,
    unknown: float,
    once: np.ndarray | None = None,
) -> np.ndarray:
    """Cluster of each of `n` records, named by its smallest member.

    Pairs at `least_weight` or more may join; a join needs a mean of `least_mean` over all pairs across, where a pair that was
    never weighed counts as `unknown`. `once`, where given, is a group number a record: two records of one group stay apart.
    """
    said = np.clip(weight, -MOST_SAID, MOST_SAID)
    strong = weight >= least_weight
    # what strong pairs do not connect will never be joined, and most pairs are such
    component = _components(n, left[strong], right[strong])
    keep = component[left] == component[right]
    left, right, weight, said = left[keep], right[keep], weight[keep], said[keep]
    order = np.lexsort((right, left, -weight))
    groups = _Groups(n, left, right, said, once)
    for k in order[weight[order] >= least_weight].tolist():
        a, b = groups.find(int(left[k])), groups.find(int(right[k]))
        if a != b and groups.agree(a, b, least_mean, unknown):
            groups.join(a, b)
    return groups.smallest_members()


def _components(n: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Smallest member of the connected component of each of `n` things."""
    smallest = np.arange(n)
    while True:
        before = smallest.copy()
        least = np.minimum(smallest[left], smallest[right])
        np.minimum.at(smallest, left, least)
        np.minimum.at(smallest, right, least)
        smallest = smallest[smallest]
        if np.array_equal(smallest, before):
            return smallest


class _Groups(UnionFind):
    """Union-find whose roots know what is said between them: `across[a][b]` is the sum of weights and the number of pairs."""

    def __init__(self, n: int, left: np.ndarray, right: np.ndarray, said: np.ndarray, once: np.ndarray | None) -> None:
        super().__init__(n)
        self.across: dict[int, dict[int, tuple[float, int]]] = {}
        for a, b, w in zip(left.tolist(), right.tolist(), said.tolist(), strict=True):
            self.across.setdefault(a, {})[b] = (w, 1)
            self.across.setdefault(b, {})[a] = (w, 1)
        self.held = None if once is None else [{kept} for kept in once.tolist()]

    def agree(self, a: int, b: int, least_mean: float, unknown: float) -> bool:
        if self.held is not None and self.held[a] & self.held[b]:
            return False
        total, known = self.across[a][b]
        pairs = self.size[a] * self.size[b]
        return total + unknown * (pairs - known) >= least_mean * pairs

    def join(self, a: int, b: int) -> None:
        if len(self.across[a]) < len(self.across[b]):
            a, b = b, a
        self.parent[b] = a
        self.size[a] += self.size[b]
        if self.held is not None:
            self.held[a] |= self.held[b]
        mine, theirs = self.across[a], self.across.pop(b)
        del mine[b], theirs[a]
        for other, (weight, known) in theirs.items():
            so_far, known_so_far = mine.get(other, (0.0, 0))
            mine[other] = (so_far + weight, known_so_far + known)
            others = self.across[other]
            del others[b]
            others[a] = mine[other]
