"""The only module that knows Great Expectations.

Great Expectations runs in SQL on DuckDB through duckdb-engine. It reads results after it has ended the transaction, and DuckDB
drops open results on a rollback: the dialect below therefore ends no transaction. Results are asked for without samples
(`partial_unexpected_count: 0`), so no value of a row is ever copied out of the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb_engine
import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.data_context.types.base import ProgressBarsConfig
from sqlalchemy.dialects import registry

from expectations.rules import Between, Finding, InSet, NoRows, NotNull, RowCount, Rule, Status, Subject, Unique

_COUNTS_ONLY = {"result_format": "BASIC", "partial_unexpected_count": 0}


class _ReadOnlyDialect(duckdb_engine.Dialect):
    """duckdb-engine's dialect, without ends of transactions."""

    supports_statement_cache = False

    def do_begin(self, dbapi_connection: Any) -> None:
        """Leave the transaction alone."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Leave the transaction alone."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Leave the transaction alone."""


registry.register("duckdb.expectations", __name__, "_ReadOnlyDialect")


def check(
    subjects: Sequence[Subject],
    *,
    database: str = ":memory:",
    memory_limit: str = "2GB",
    search_path: str | None = None,
) -> dict[str, list[Finding]]:
    """Check every subject's rules against `database` (a DuckDB file opened read-only, or memory for Parquet queries).

    `search_path` is the directory from which views of the database name their files, where they do so relatively.

    Returns the findings by subject name, one per rule and in the rules' order. A rule that cannot be evaluated (a column that is
    not there, a query that fails) gives a finding with status `not_evaluated`; nothing is raised for it.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    config: dict[str, Any] = {"memory_limit": memory_limit}
    if search_path is not None:
        config["file_search_path"] = search_path
    source = context.data_sources.add_sql(
        "duckdb",
        connection_string=f"duckdb+expectations:///{database}",
        create_temp_table=False,
        kwargs={"connect_args": {"read_only": database != ":memory:", "config": config}},
    )
    try:
        return {subject.name: _check_subject(source, subject) for subject in subjects if subject.rules}
    finally:
        # The file must not stay open, since dbt writes it next; Great Expectations keeps one engine of its own beside ours.
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _check_subject(source: Any, subject: Subject) -> list[Finding]:
    try:
        batch = source.add_query_asset(subject.name, query=subject.query).add_batch_definition("whole").get_batch()
    except Exception as error:  # Great Expectations raises many kinds here; each means the table cannot be read
        return [_not_evaluated(subject, rule, type(error).__name__) for rule in subject.rules]
    # The count is asked with every suite: it is the denominator of the rules whose own result has none.
    expectations = [gxe.ExpectTableRowCountToBeBetween(min_value=0), *map(_expectation, subject.rules)]
    for number, expectation in enumerate(expectations):
        expectation.meta = {"number": number}
    suite = gx.ExpectationSuite(name=subject.name, expectations=expectations)
    results = {
        result.expectation_config.meta["number"]: result for result in batch.validate(suite, result_format=_COUNTS_ONLY).results
    }
    n_rows = int(results[0].result.get("observed_value", 0))
    return [_finding(subject, rule, results[number], n_rows) for number, rule in enumerate(subject.rules, start=1)]


def _expectation(rule: Rule) -> Any:
    mostly = 1.0 - rule.tolerance
    match rule:
        case NotNull():
            return gxe.ExpectColumnValuesToNotBeNull(column=rule.column, mostly=mostly)
        case Unique(columns=(column,)):
            return gxe.ExpectColumnValuesToBeUnique(column=column, mostly=mostly)
        case Unique():
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(rule.columns), mostly=mostly)
        case InSet():
            return gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.values), mostly=mostly)
        case Between():
            return gxe.ExpectColumnValuesToBeBetween(
                column=rule.column, min_value=rule.minimum, max_value=rule.maximum, mostly=mostly
            )
        case RowCount():
            return gxe.ExpectTableRowCountToBeBetween(min_value=rule.minimum, max_value=rule.maximum)
        case NoRows():
            return gxe.UnexpectedRowsExpectation(unexpected_rows_query=f"select 1 from {{batch}} where {rule.condition}")


def _finding(subject: Subject, rule: Rule, result: Any, n_rows: int) -> Finding:
    counts = result.result
    if not counts:
        return _not_evaluated(subject, rule, "the rule could not be evaluated: a column is missing or has another type")
    if isinstance(rule, RowCount):
        n_failed = 0 if result.success else n_rows
    else:
        n_failed = int(counts.get("unexpected_count", counts.get("observed_value", 0)) or 0)
    return Finding(subject.name, rule.name, rule.severity, _status(rule, n_failed, n_rows, result.success), n_rows, n_failed)


def _status(rule: Rule, n_failed: int, n_rows: int, success: bool) -> Status:
    if isinstance(rule, RowCount):
        return "pass" if success else "fail"
    if n_failed == 0:
        return "pass"
    return "pass_with_rows" if n_failed <= rule.tolerance * n_rows else "fail"


def _not_evaluated(subject: Subject, rule: Rule, why: str) -> Finding:
    return Finding(subject.name, rule.name, rule.severity, "not_evaluated", 0, 0, why)
