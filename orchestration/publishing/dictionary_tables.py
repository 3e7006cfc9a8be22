"""The dictionary as tables of a release: what each table and column means, for whoever has only the file.

Descriptions are those of the models, which dbt keeps with the tables as comments; types and rows are those of the file itself.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import polars as pl

from linkage.sql import literal
from orchestration.publishing.described_table import DescribedTable
from orchestration.publishing.lineage import Lineage

TABLES = DescribedTable(
    "dictionary_table",
    "One row per table of this file: what a row of it is, how many there are, and what it is made of.",
    {
        "table_name": ("varchar", "Table in schema `marts`, and Parquet file of the same name."),
        "purpose": ("varchar", "Purpose of the file: direct_care, secondary_use or open."),
        "grain": ("varchar", "What one row is."),
        "description": ("varchar", "Grain, and whatever else there is to know."),
        "n_rows": ("bigint", "Rows."),
        "upstream_tables": ("varchar", "Tables of the warehouse that it is made from, `schema.table`, separated by commas."),
        "sources": ("varchar", "Suppliers' tables that anything in it comes from, `source.table`, separated by commas."),
    },
)
COLUMNS = DescribedTable(
    "dictionary_column",
    "One row per table of this file and column: its type and what it means.",
    {
        "table_name": ("varchar", "Table in schema `marts`."),
        "column_name": ("varchar", "Column."),
        "position": ("integer", "Place of the column in the table, from 1."),
        "data_type": ("varchar", "Type, in DuckDB's words."),
        "description": ("varchar", "What it means."),
    },
)
_NO_LINEAGE = Lineage()


def write_dictionary(
    connection: duckdb.DuckDBPyConnection, database: str, purpose: str, n_rows: Mapping[str, int], lineage: Mapping[str, Lineage]
) -> dict[str, int]:
    """Add its dictionary to `database`, attached and writable, whose schema `marts` holds `n_rows` of each table.

    The dictionary describes its own tables too. `lineage` is by table. Returns the rows by table, those of the dictionary added.
    """
    columns, tables = COLUMNS.create(connection, database), TABLES.create(connection, database)
    in_marts = f"database_name = {literal(database)} and schema_name = 'marts'"
    connection.execute(
        f"""
        insert into {columns}
        select table_name, column_name, column_index, data_type, comment
        from duckdb_columns()
        where {in_marts}
        order by table_name, column_index
        """
    )
    ((n_columns,),) = connection.execute(f"select count(*) from {columns}").fetchall()
    counts = {**n_rows, COLUMNS.name: n_columns, TABLES.name: len(n_rows) + 2}
    facts = [(table, rows, lineage.get(table, _NO_LINEAGE)) for table, rows in counts.items()]
    connection.register(
        "table_fact",
        pl.DataFrame(
            {
                "table_name": [table for table, *_ in facts],
                "n_rows": [rows for _, rows, _ in facts],
                "upstream_tables": [", ".join(origin.upstream_tables) for *_, origin in facts],
                "sources": [", ".join(origin.sources) for *_, origin in facts],
            }
        ),
    )
    connection.execute(
        rf"""
        insert into {tables}
        select
            held.table_name
            , {literal(purpose)}
            , regexp_replace(held.comment, '[.:;](\s.*)?$', '', 's')
            , held.comment
            , table_fact.n_rows
            , nullif(table_fact.upstream_tables, '')
            , nullif(table_fact.sources, '')
        from duckdb_tables() as held
        inner join table_fact on held.table_name = table_fact.table_name
        where {in_marts}
        order by held.table_name
        """
    )
    connection.unregister("table_fact")
    return counts
