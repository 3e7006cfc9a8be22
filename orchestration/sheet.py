"""Cells of a spreadsheet that came from outside."""

#: A spreadsheet runs a cell that begins with one of these (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def harmless(cell: str) -> str:
    """The cell as text: a name that begins like a formula must not be run."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
