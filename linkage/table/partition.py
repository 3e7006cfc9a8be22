"""Weighed pairs to people: strongest first, and only while the two groups as wholes agree.

Connected components let one weak pair join two crowds. Here two groups are joined when the mean weight of all pairs across them,
each within bounds so that no single pair decides, is not against it.
"""

from __future__ import annotations

import numpy as np

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
    involved = np.zeros(n, dtype=bool)
    involved[left[strong]] = involved[right[strong]] = True
    keep = involved[left] & involved[right]
    left, right, weight, said = left[keep], right[keep], weight[keep], said[keep]
    order = np.lexsort((right, left, -weight))
    parent = list(range(n))
    size = [1] * n
    across: dict[int, dict[int, list[float]]] = {}
    for a, b, w in zip(left.tolist(), right.tolist(), said.tolist(), strict=True):
        across.setdefault(a, {})[b] = [w, 1]
        across.setdefault(b, {})[a] = [w, 1]
    seen = [set() if once is None else {int(once[i])} for i in range(n)] if once is not None else None

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for k in order[weight[order] >= least_weight].tolist():
        a, b = find(int(left[k])), find(int(right[k]))
        if a == b:
            continue
        if seen is not None and seen[a] & seen[b]:
            continue
        total, known = across[a][b]
        pairs = size[a] * size[b]
        if total + unknown * (pairs - known) < least_mean * pairs:
            continue
        if len(across[a]) < len(across[b]):
            a, b = b, a
        parent[b] = a
        size[a] += size[b]
        if seen is not None:
            seen[a] |= seen[b]
        mine, theirs = across[a], across.pop(b)
        mine.pop(b, None)
        theirs.pop(a, None)
        for other, (w, c) in theirs.items():
            entry = mine.setdefault(other, [0.0, 0])
            entry[0] += w
            entry[1] += c
            other_map = across[other]
            del other_map[b]
            other_map[a] = [entry[0], entry[1]]
    roots = np.fromiter((find(i) for i in range(n)), dtype=np.int64, count=n)
    smallest = np.full(n, n, dtype=np.int64)
    np.minimum.at(smallest, roots, np.arange(n))
    return smallest[roots]
