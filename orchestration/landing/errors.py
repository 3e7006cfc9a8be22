"""The two ways landing stops: a supplier's file cannot be used, or we cannot do our own work."""

from __future__ import annotations

from collections import Counter


class LandingError(Exception):
    """Our own trouble (disk full, folder not writable, broken ledger); the message says what and what to do."""


class Refusal(Exception):
    """A supplier's file, and with it its whole delivery, cannot be used; the message says what, where and what to do.

    `counts` holds how many rows were bad, by (column name, reason code, reason), when that is why.
    """

    def __init__(self, message: str, counts: Counter[tuple[str, str, str]] | None = None) -> None:
        super().__init__(message)
        self.counts: Counter[tuple[str, str, str]] = counts or Counter()
