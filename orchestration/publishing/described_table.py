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
        connection.execute(f"comment on table {table} is {literal(self.description)}")
        for name, (_, description) in self.columns.items():
            connection.execute(f"comment on column {table}.{ident(name)} is {literal(description)}")
        return table
