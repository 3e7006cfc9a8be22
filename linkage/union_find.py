"""Union-find: which of some numbered things have been joined, near-linear in the joins."""

from __future__ import annotations

import numpy as np


class UnionFind:
    """Things 0 to n - 1, each alone at first. Lists, because they are several times faster than arrays at single elements."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))
        self.size = [1] * n

    def find(self, i: int) -> int:
        """The root that stands for everything joined with `i`."""
        parent = self.parent
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    def smallest_members(self) -> np.ndarray:
        """For each thing the smallest of those joined with it."""
        n = len(self.parent)
        roots = np.fromiter((self.find(i) for i in range(n)), dtype=np.int64, count=n)
        smallest = np.full(n, n, dtype=np.int64)
        np.minimum.at(smallest, roots, np.arange(n))
        return smallest[roots]
