"""Cells of a spreadsheet that came from outside."""

from linkage.sql import literals

#: A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """The cell as text: a name that begins like a formula must not be run."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def harmless_sql(column: str) -> str:
    """The same of a column, as a SQL expression."""
    return f"case when left({column}, 1) in ({literals(_FORMULA)}) then '''' || {column} else {column} end"
