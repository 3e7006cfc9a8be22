"""The SQL of a page, run on the release of one purpose: it asks, and it asks only for that purpose's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import duckdb

SCHEMA = "marts"


class QueryError(Exception):
    """A query that cannot be answered; the message says why."""


@dataclass(frozen=True)
class Query:
    """The rows of one SQL block, as dicts, its column names (known even when there are no rows), and the tables it reads."""

    columns: list[str]
    rows: list[dict[str, Any]]
    tables: Sequence[str] = ()


def run_query(
    sql: str,
    connection: duckdb.DuckDBPyConnection,
    values: Mapping[str, Any],
    purpose: str,
    tables: Mapping[str, Sequence[str]],
) -> Query:
    """The rows of a query, its `$name` parameters taken from `values`. `tables` maps every purpose to its tables.

    Raises `QueryError` when it is no single select, or reads anything but tables of `purpose`.
    """
    try:
        (statement,) = duckdb.extract_statements(sql)
        if statement.type != duckdb.StatementType.SELECT:
            raise QueryError("a page asks, with select; it changes nothing")
        wanted = statement.named_parameters
        if unknown := sorted(wanted - values.keys()):
            raise QueryError(f"${unknown[0]} is no column of `pages`")
        read = tables_read(sql)
        _refuse_those_of_others(read, purpose, tables)
        cursor = connection.execute(sql, {key: values[key] for key in wanted})
        columns = [column[0] for column in cursor.description]
        own = sorted(name.removeprefix(f"{SCHEMA}.") for name in read if name.startswith(f"{SCHEMA}."))
        return Query(columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], own)
    except duckdb.PermissionException as error:
        raise QueryError("a page reads the tables of its own release, and no file or other database") from error
    except (duckdb.Error, ValueError) as error:
        raise QueryError(str(error)) from error


def _refuse_those_of_others(read: Sequence[str], purpose: str, tables: Mapping[str, Sequence[str]]) -> None:
    for name in read:
        *schema, table = name.split(".")
        if schema in ([], [SCHEMA]) and table in tables.get(purpose, ()):
            continue
        others = [other for other, theirs in tables.items() if table in theirs and other != purpose]
        if others:
            raise QueryError(
                f"it reads {name}, which is a table of {' and '.join(others)}. A page of {purpose} reads only the tables "
                f"{SCHEMA}.* of {purpose}; ask one of those, or move the page to pages/{others[0]}/"
            )


@cache
def tables_read(sql: str) -> tuple[str, ...]:
    """The tables that a query names, as it writes them; none of a query that DuckDB cannot take apart, such as a pivot."""
    (text,) = _parser().cursor().execute("select json_serialize_sql(?::varchar)", [sql]).fetchall()[0]
    nodes = list(_nodes(json.loads(text)))
    named_here = {entry["key"] for node in nodes for entry in node.get("cte_map", {}).get("map", [])}
    found = set()
    for node in nodes:
        if node.get("type") == "BASE_TABLE":
            parts = [node[part] for part in ("catalog_name", "schema_name", "table_name") if node[part]]
            if parts[0] not in named_here or len(parts) > 1:
                found.add(".".join(parts))
    return tuple(sorted(found))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """A database that holds nothing; opening one for each query would take longer than the queries."""
    return duckdb.connect()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _nodes(branch)
