"""Quoting for SQL text that is put together from names, paths and values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def ident(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | Path | None) -> str:
    """A SQL literal; paths become text."""
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: Iterable[str | Path]) -> str:
    """A comma-separated list of text literals."""
    return ", ".join(literal(value) for value in values)
