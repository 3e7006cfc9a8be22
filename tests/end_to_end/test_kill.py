"""A run may be killed at any moment: the last release goes on serving, and the next run finishes as if nothing had happened."""

from __future__ import annotations



