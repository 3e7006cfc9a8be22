"""Tables that publishing itself adds to a release, described as the marts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from linkage.sql import ident, literal


@dataclass(frozen=True)
class DescribedTable:
    """A table of schema `marts`; `columns` maps name -> (type, description)."""

    name: str
    description: str
    columns: Mapping[str, tuple[str, str]]

    def create(self, connection: duckdb.DuckDBPyConnection, database: str) -> str:
        """Make it, empty, in an attached database. Returns its name as SQL."""
        table = f"{ident(database)}.marts.{ident(self.name)}"
        listed = ", ".join(f"{ident(name)} {data_type}" for name, (data_type, _) in self.columns.items())
        connection.execute(f"create table {table} ({listed})")
        describe(connection, table, self.description, {name: description for name, (_, description) in self.columns.items()})
        return table


def describe(
    connection: duckdb.DuckDBPyConnection, table: str, description: str | None, columns: Mapping[str, str | None]
) -> None:
    """Keep descriptions with a table (its name as SQL), and with its columns, where `describe` in any client shows them."""
    said = {f"column {table}.{ident(name)}": comment for name, comment in columns.items()} | {f"table {table}": description}
    comments = [f"comment on {what} is {literal(comment)}" for what, comment in said.items() if comment]
    connection.execute("; ".join(["begin", *comments, "commit"]))  # alone, each would be flushed to the disk
