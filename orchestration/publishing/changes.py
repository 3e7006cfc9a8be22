"""Change notes: in what a part of a release differs from the release before, as a table, a page and a line.

A part is compared with the same part of an earlier release, file with file: nothing has to be remembered beside the releases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage.sql import ident, literal, literals
from orchestration.publishing import dictionary_tables
from orchestration.publishing.described_table import DescribedTable
from orchestration.publishing.public_interface import is_promised

CHANGES = DescribedTable(
    "release_change",
    "One row per thing in which this file differs from that of the release before; none in the first release.",
    {
        "since_release_id": ("varchar", "Release that it is compared with."),
        "subject": ("varchar", "schema, definition, code, people or rows."),
        "change": ("varchar", "added, removed or changed."),
        "name": ("varchar", "What: `table`, `table.column`, `kind code` of a definition, or what the code or people are of."),
        "aspect": ("varchar", "Which side of it: table, type, version, words, rule, codes, commit, model, people or rows."),
        "value_before": ("varchar", "What it was; NULL when it was not there."),
        "value_after": ("varchar", "What it is; NULL when it is no longer there."),
        "is_interface_break": (
            "boolean",
            "True when a table or column that other people's queries depend on is gone, or has another type.",
        ),
    },
)
#: Tables that publishing adds to the marts.
OWN_TABLES = (CHANGES.name, dictionary_tables.TABLES.name, dictionary_tables.COLUMNS.name)
#: What a table says of definitions: the columns it must have, and a query for name, aspect and value.
_SAID_OF_DEFINITIONS = (
    *(
        (
            table,
            {"code", "version", "name", "description", "limits"},
            f"""
            select {kind} || ' ' || code as name, aspect, value
            from (
                select {columns}
                    , version
                    , concat_ws(' ', name || '.', description, 'Limits: ' || limits) as words
                from {{table}}
            )
            unpivot include nulls (value for aspect in (version, words))
            """,
        )
        for table, kind, columns in (("definition", "kind", "kind, code"), ("care_gap", "'care gap'", "code"))
    ),
    (
        "definition_rule",
        {"kind", "code", "line_number", "rule", "points"},
        """
        select
            kind || ' ' || code as name
            , 'rule' as aspect
            , string_agg(concat_ws(' ', rule, points || ' points'), ' ' order by line_number) as value
        from {table}
        group by kind, code
        """,
    ),
    (
        "codelist_version",
        {"codelist_id", "version", "n_codes"},
        """
        select 'codelist ' || codelist_id as name, aspect, value
        from (select codelist_id, version, cast(n_codes as varchar) as codes from {table})
        unpivot include nulls (value for aspect in (version, codes))
        """,
    ),
)
#: The aspect by which a thing is said to be there at all; the others are compared only where it is on both sides.
_EXISTENCE = ("table", "type", "version")
_TITLES = {
    "schema": "Tables and columns",
    "definition": "Definitions",
    "code": "Code",
    "people": "People",
    "rows": "Rows",
}
#: These differ from night to night, and say nothing about what a figure means.
_EXPECTED = ("people", "rows")


@dataclass(frozen=True)
class Change:
    """One row of `release_change`; see there."""

    since_release_id: str
    subject: str
    change: str
    name: str
    aspect: str
    value_before: str | None
    value_after: str | None
    is_interface_break: bool

    def in_words(self) -> str:
        """One line of Markdown."""
        what = f"`{self.name}`" if self.subject in ("schema", "rows") else self.name
        if self.change == "changed":
            return f"{what}: {self.aspect} changed from {self.value_before or 'nothing'} to {self.value_after or 'nothing'}"
        return f"{what} {self.change} ({self.value_after if self.change == 'added' else self.value_before})"


@dataclass(frozen=True)
class Earlier:
    """The same part of an earlier release. `code` maps a name to what it was: a commit, a version of a model."""

    release_id: str
    database: Path
    code: Mapping[str, str | None]
    #: False when the ids of people were made with another key, so that nobody can be compared.
    has_same_ids: bool


def write_changes(
    connection: duckdb.DuckDBPyConnection, database: str, code: Mapping[str, str | None], earlier: Earlier | None
) -> list[Change]:
    """Add table `release_change` to `database`, attached and writable. `code` is as in `Earlier`. Returns its rows.

    Publishing's own tables are not compared: `release_change` and the dictionary differ whenever anything does.
    """
    target = CHANGES.create(connection, database)
    if earlier is None:
        return []
    connection.execute(f"attach {literal(earlier.database)} as earlier (read_only)")
    try:
        found = list(_differences(connection, database, code, earlier))
    finally:
        connection.execute("detach earlier")
    if found:
        places = ", ".join("?" * len(CHANGES.columns))
        rows = [[getattr(change, column) for column in CHANGES.columns] for change in found]
        connection.executemany(f"insert into {target} values ({places})", rows)
    return found


def notable(changes: Iterable[Change]) -> list[Change]:
    """Changes that people must know of: all but those of rows and people, which every night brings."""
    return [change for change in changes if change.subject not in _EXPECTED]


def headline(changes: Iterable[Change]) -> str:
    """How much changed, in a few words: `tables and columns 2, definitions 1`; empty when nothing notable did."""
    counts = Counter(subject for subject, _ in {(change.subject, change.name) for change in notable(changes)})
    return ", ".join(f"{_TITLES[subject].lower()} {n}" for subject in _TITLES if (n := counts[subject]))


def render(changes: Sequence[Change], release_id: str, earlier: Earlier | None) -> str:
    """The change notes as Markdown."""
    if earlier is None:
        return f"# Changes in {release_id}\n\nThere is no earlier release to compare it with.\n"
    parts = [f"# Changes in {release_id} since {earlier.release_id}"]
    breaks = [change for change in changes if change.is_interface_break]
    if breaks:
        parts += ["## The public interface is broken", "Queries that other people depend on may fail.", _listed(breaks)]
    for subject, title in _TITLES.items():
        parts += [f"## {title}", _listed([c for c in changes if c.subject == subject]) or "No change."]
    if not earlier.has_same_ids:
        parts.append("The key behind the ids of people has changed: people were not compared.")
    return "\n\n".join(parts) + "\n"


def _listed(changes: Sequence[Change]) -> str:
    return "\n".join(f"- {change.in_words()}" for change in changes)


def _differences(
    connection: duckdb.DuckDBPyConnection, database: str, code: Mapping[str, str | None], earlier: Earlier
) -> Iterator[Change]:
    columns = {name: _columns(connection, name) for name in ("earlier", database)}
    tables = sorted(columns["earlier"].keys() & columns[database].keys())
    yield from _compare(connection, earlier, "schema", _tables_sql("earlier"), _tables_sql(database))
    yield from _compare(connection, earlier, "schema", _columns_sql("earlier", tables), _columns_sql(database, tables))
    for table, needed, query in _SAID_OF_DEFINITIONS:
        if table in tables and all(needed <= of[table] for of in columns.values()):
            before, after = (query.format(table=f"{ident(name)}.marts.{table}") for name in ("earlier", database))
            yield from _compare(connection, earlier, "definition", before, after)
    for name, value in code.items():
        if (before := earlier.code.get(name)) != value:
            yield Change(earlier.release_id, "code", "changed", name, "version", before, value, is_interface_break=False)
    if "person" in tables and earlier.has_same_ids:
        yield from _people(connection, database, earlier)
    if tables:
        yield from _compare(connection, earlier, "rows", _rows_sql("earlier", tables), _rows_sql(database, tables))


def _compare(connection: duckdb.DuckDBPyConnection, earlier: Earlier, subject: str, before: str, after: str) -> Iterator[Change]:
    """Differences of two queries for name, aspect and value (text)."""
    rows = connection.execute(
        f"""
        select
            name
            , aspect
            , before.name is null as is_added
            , after.name is null as is_removed
            , before.value
            , after.value
        from ({before}) as before
        full join ({after}) as after using (name, aspect)
        where case
            when before.name is null or after.name is null then aspect in ({literals(_EXISTENCE)})
            else before.value is distinct from after.value
        end
        order by name, aspect
        """
    ).fetchall()
    for name, aspect, is_added, is_removed, was, is_now in rows:
        table, _, column = name.partition(".")
        change = "added" if is_added else "removed" if is_removed else "changed"
        is_break = subject == "schema" and not is_added and is_promised(table, column or None)
        yield Change(earlier.release_id, subject, change, name, aspect, was, is_now, is_break)


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, set[str]]:
    """Columns by table, but for the tables that publishing adds."""
    rows = connection.execute(
        "select table_name, list(column_name) from duckdb_columns() "
        "where database_name = ? and schema_name = 'marts' group by table_name",
        [database],
    ).fetchall()
    return {table: set(columns) for table, columns in rows if table not in OWN_TABLES}


def _tables_sql(database: str) -> str:
    return f"""
        select table_name as name, 'table' as aspect, 'table' as value
        from duckdb_tables()
        where database_name = {literal(database)} and schema_name = 'marts' and table_name not in ({literals(OWN_TABLES)})
    """


def _columns_sql(database: str, tables: Iterable[str]) -> str:
    return f"""
        select table_name || '.' || column_name as name, 'type' as aspect, data_type as value
        from duckdb_columns()
        where database_name = {literal(database)} and schema_name = 'marts' and table_name in ({literals(["", *tables])})
    """


def _rows_sql(database: str, tables: Iterable[str]) -> str:
    of_table = "select {} as name, 'rows' as aspect, cast(count(*) as varchar) as value from {}.marts.{}"
    return " union all ".join(of_table.format(literal(table), ident(database), ident(table)) for table in tables)


def _people(connection: duckdb.DuckDBPyConnection, database: str, earlier: Earlier) -> Iterator[Change]:
    was, is_now = "select person_id from earlier.marts.person", f"select person_id from {ident(database)}.marts.person"
    ((n_in, n_out),) = connection.execute(
        f"select (select count(*) from ({is_now} except {was})), (select count(*) from ({was} except {is_now}))"
    ).fetchall()
    if n_in:
        yield Change(earlier.release_id, "people", "added", "people", "people", None, str(n_in), is_interface_break=False)
    if n_out:
        yield Change(earlier.release_id, "people", "removed", "people", "people", str(n_out), None, is_interface_break=False)
