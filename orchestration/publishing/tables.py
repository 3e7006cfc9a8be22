"""Query results as HTML tables: real ones, with a caption and scoped headers, whole without a script.

A script of the layout makes them sortable and saves them as CSV; it reads exact values from `data-value`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from orchestration.publishing.formats import exact_value, format_value, is_number
from orchestration.publishing.queries import Query

#: A column with this ending makes links of the column before it.
_LINKS = "_page"
_LOCAL = re.compile(r"[a-z0-9-]+\.html(?:#[a-z0-9-]+)?")


class TableError(Exception):
    """Rows that cannot be shown; the message names the column."""


def render_table(query: Query, caption: str, is_titled: bool = False) -> str:
    """A query as a table. A caption that the page shows elsewhere (not `is_titled`) is for those who hear the page only.

    Raises `TableError` when a link leads anywhere but to a page of this site.
    """
    shown = [name for name in query.columns if not _is_link(name, query.columns) and not _is_flag(name, query.columns)]
    numeric = {name: all(is_number(row[name]) or row[name] is None for row in query.rows) for name in shown}
    head = "".join(
        f"<th scope='col'{' class=number' if numeric[name] else ''}>{escape(name.replace('_', ' '))}</th>" for name in shown
    )
    body = "".join("<tr>" + "".join(_cell(row, name, numeric[name]) for name in shown) + "</tr>" for row in query.rows)
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(caption, quote=True)}'>"
        f"<table><caption{'' if is_titled else ' class=hidden'}>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _is_link(name: str, columns: Sequence[str]) -> bool:
    return name.endswith(_LINKS) and name.removesuffix(_LINKS) in columns


def _is_flag(name: str, columns: Sequence[str]) -> bool:
    return name.startswith("is_") and name.endswith("_hidden") and name[3:-7] in columns


def _cell(row: Mapping[str, Any], name: str, is_numeric: bool) -> str:
    is_hidden = bool(row.get(f"is_{name}_hidden"))
    text = escape(format_value(row[name], is_hidden))
    exact = None if is_hidden else exact_value(row[name])
    href = row.get(f"{name}{_LINKS}")
    if href is not None:
        if not _LOCAL.fullmatch(str(href)):
            raise TableError(f"column {name}{_LINKS} holds {href!r}; it names pages of this site, such as index.html")
        text = f"<a href='{escape(str(href), quote=True)}'>{text}</a>"
    value = "" if exact is None or exact == text else f" data-value='{exact}'"
    return f"<td{' class=number' if is_numeric else ''}{value}>{text}</td>"
