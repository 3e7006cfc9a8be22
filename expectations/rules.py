"""What can be asked of a table, and what comes back.

A rule names what must hold; `tolerance` is the share of rows (0 to 1) that may break it before it fails. Failing rows within the
tolerance still show: the status is then `pass_with_rows`, so a threshold can be judged later from the counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["critical", "warning"]
Status = Literal["pass", "pass_with_rows", "fail", "not_evaluated"]


@dataclass(frozen=True)
class _Rule:
    severity: Severity = "critical"
    tolerance: float = 0.0


@dataclass(frozen=True)
class NotNull(_Rule):
    """Every row has a value in `column`."""

    column: str = ""

    @property
    def name(self) -> str:
        return f"not_null:{self.column}"


@dataclass(frozen=True)
class Unique(_Rule):
    """No two rows share their values of `columns`."""

    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"unique:{'+'.join(self.columns)}"


@dataclass(frozen=True)
class InSet(_Rule):
    """Every value of `column` is one of `values`; missing values do not count."""

    column: str = ""
    values: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"in_set:{self.column}"


@dataclass(frozen=True)
class Between(_Rule):
    """Every value of `column` lies between `minimum` and `maximum`, both included; missing values do not count."""

    column: str = ""
    minimum: float | str | None = None
    maximum: float | str | None = None

    @property
    def name(self) -> str:
        return f"between:{self.column}"


@dataclass(frozen=True)
class RowCount(_Rule):
    """The table has at least `minimum` and at most `maximum` rows."""

    minimum: int | None = None
    maximum: int | None = None

    @property
    def name(self) -> str:
        return "row_count"


@dataclass(frozen=True)
class NoRows(_Rule):
    """No row satisfies `condition`, a SQL condition over the table's columns; `title` says the rule in words."""

    title: str = ""
    condition: str = ""

    @property
    def name(self) -> str:
        return self.title


Rule = NotNull | Unique | InSet | Between | RowCount | NoRows


@dataclass(frozen=True)
class Subject:
    """A table to check: its name in the findings, the query that gives its rows, and its rules."""

    name: str
    query: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Finding:
    """What one rule found in one table. `n_failed` counts rows; `detail` never holds a value of a row."""

    subject: str
    rule: str
    severity: Severity
    status: Status
    n_rows: int
    n_failed: int
    detail: str = ""

    @property
    def is_blocking(self) -> bool:
        """A critical rule that failed, or that could not be evaluated, stops what depends on the table."""
        return self.severity == "critical" and self.status in ("fail", "not_evaluated")
