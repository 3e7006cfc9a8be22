"""What the search of a site looks through: its pages with their headings, and the tables and columns of its release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from orchestration.publishing.pages import Page

#: Kind, title, words, link (empty when no page shows it).
Entry = tuple[str, str, str, str]

_DICTIONARY = """
select 'table' as kind, table_name, '' as column_name, comment from duckdb_tables() where schema_name = 'marts'
union all
select 'column', table_name, column_name, comment from duckdb_columns() where schema_name = 'marts' and not internal
order by table_name, kind desc, column_name
"""


def search_entries(
    pages: Mapping[str, Page], headings: Mapping[str, Sequence[tuple[str, str]]], connection: duckdb.DuckDBPyConnection
) -> list[Entry]:
    """Entries of pages, of their headings (id and words) and of the dictionary, which the comments of the release hold."""
    found: list[Entry] = []
    for slug, page in pages.items():
        found.append(("page", page.front.title, page.front.description, page.href))
        found += [("part", words, page.front.title, f"{page.href}#{name}") for name, words in headings[slug]]
    for kind, table, column, comment in connection.execute(_DICTIONARY).fetchall():
        slug = f"table-{table.replace('_', '-')}"
        href = f"{slug}.html" if slug in pages else ""
        found.append((kind, f"{table}.{column}" if column else table, comment or "", href))
    return found
