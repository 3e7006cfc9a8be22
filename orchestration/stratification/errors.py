"""What can go wrong with a risk model, in words for the person who trains it."""

from __future__ import annotations


class RiskModelError(Exception):
    """A risk model cannot be trained, read or used; the message says why and what to do."""
