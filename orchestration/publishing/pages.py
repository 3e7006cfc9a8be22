"""The page builder: Markdown with SQL blocks in, one self-contained HTML page out.

A page is a Markdown file with a front matter (`title`, `description`), SQL blocks and chart blocks:

    ```sql people
    select sex, count(*) as n_people from marts.person group by sex
    ```

runs on the release and names its rows; `sql people table` shows them as a table as well. Text may use the rows through Jinja,
`{{ people[0].n_people | number }}`. A `chart` block holds the YAML of `charts.Chart` and names the query it draws.

Pages fetch nothing: style, charts and data are inside the file, so a page opens from disk in a closed network.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import yaml
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import ValidationError

from orchestration.publishing.charts import Chart, ChartError, to_svg

_STYLE = "style.css"
_LAYOUT = "layout.html"
#: The purpose whose tables hold nobody: it has pages of its own only.
_OPEN = "open"


class PageError(Exception):
    """A page that cannot be built; the message says which file, which block and what to do."""


@dataclass(frozen=True)
class Query:
    """The rows of one SQL block, as dicts, and its column names (known even when there are no rows)."""

    columns: list[str]
    rows: list[dict[str, Any]]


def build_site(database: Path, pages_dir: Path, output_dir: Path, context: Mapping[str, str]) -> list[Path]:
    """Build every page of `pages_dir` from the release database into `output_dir`.

    `pages_dir` holds `layout.html`, `style.css`, `<purpose>/*.md` and `common/*.md`, for every purpose with tables about people
    that has no page of that name; `context` gives the layout its values and must have `purpose`, `release_id` and `as_of`.
    Returns the files written.
    Raises `PageError` for a page that cannot be built.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    folders = [folder for folder in ("common", context["purpose"]) if (context["purpose"], folder) != (_OPEN, "common")]
    pages = {page.stem: page for folder in folders for page in pages_dir.glob(f"{folder}/*.md")}
    sources = sorted(pages.values())
    layout = jinja2.Environment(autoescape=True).from_string((pages_dir / _LAYOUT).read_text(encoding="utf-8"))
    style = (pages_dir / _STYLE).read_text(encoding="utf-8")
    written = []
    with duckdb.connect(str(database), read_only=True) as connection:
        for source in sources:
            front, body = render_page(source, connection, context)
            html = layout.render(style=style, body=body, **context, **front)
            target = output_dir / f"{source.stem}.html"
            target.write_text(html, encoding="utf-8")
            written.append(target)
    return written


def render_page(source: Path, connection: duckdb.DuckDBPyConnection, context: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Render one page: its front matter, and its body as HTML."""
    front, text = _split_front_matter(source)
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    queries = _run_queries(source, markdown.parse(text), connection)
    tokens = markdown.parse(_fill_in(source, text, queries, context))
    return front, "".join(_render_token(source, markdown, group, queries) for group in _groups(tokens))


def _split_front_matter(source: Path) -> tuple[dict[str, str], str]:
    text = source.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise PageError(f"{source}: a page starts with a front matter between two lines of ---")
    head, _, body = text[4:].partition("\n---\n")
    front = yaml.safe_load(head)
    if not isinstance(front, dict) or front.keys() != {"title", "description"}:
        raise PageError(f"{source}: the front matter has exactly the keys title and description")
    return front, body


def _run_queries(source: Path, tokens: list[Token], connection: duckdb.DuckDBPyConnection) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for token in tokens:
        kind, name, _ = _fence(token)
        if kind != "sql":
            continue
        if not name.isidentifier() or name in queries:
            raise PageError(f"{source}, line {token.map[0] + 1}: a sql block needs a name of its own, such as `sql people`")
        try:
            cursor = connection.execute(token.content)
            columns = [column[0] for column in cursor.description]
            queries[name] = Query(columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()])
        except duckdb.Error as error:
            raise PageError(f"{source}, sql block {name!r}: {error}") from error
    return queries


def _fill_in(source: Path, text: str, queries: dict[str, Query], context: Mapping[str, str]) -> str:
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
    environment.filters |= {"number": format_value, "date": format_value, "percent": format_percent}
    values = {name: query.rows for name, query in queries.items()}
    try:
        return environment.from_string(text).render(**values, **context)
    except (jinja2.TemplateError, TypeError, ZeroDivisionError) as error:
        raise PageError(f"{source}: {error}") from error


def _fence(token: Token) -> tuple[str, str, bool]:
    """Kind, name and whether a table is wanted, of a fenced block; empty strings for anything else."""
    if token.type != "fence":
        return "", "", False
    words = [*token.info.split(), "", "", ""]
    return words[0], words[1], words[2] == "table"


def _groups(tokens: list[Token]) -> list[list[Token]]:
    """Split the token stream so that every sql or chart block stands alone."""
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if _fence(token)[0] in ("sql", "chart"):
            groups += [[token], []]
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _render_token(source: Path, markdown: MarkdownIt, group: list[Token], queries: dict[str, Query]) -> str:
    kind, name, wants_table = _fence(group[0])
    if kind == "sql":
        return _table(queries[name], name) if wants_table else ""
    if kind == "chart":
        return _figure(source, group[0], queries)
    return markdown.renderer.render(group, markdown.options, {})


def _figure(source: Path, token: Token, queries: dict[str, Query]) -> str:
    where = f"{source}, chart block at line {token.map[0] + 1}"
    try:
        chart = Chart(**yaml.safe_load(token.content))
        query = queries[chart.query]
        svg = to_svg(chart, query.rows) if query.rows else "<p>There is nothing to show in this release.</p>"
    except (ValidationError, ChartError, yaml.YAMLError, TypeError) as error:
        raise PageError(f"{where}: {error}") from error
    except KeyError as error:
        raise PageError(f"{where}: there is no sql block named {error}") from error
    return (
        f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg}"
        f"<details><summary>Data as a table<span class='hidden'>: {escape(chart.title)}</span></summary>"
        f"{_table(query, chart.title)}</details></figure>"
    )


def _table(query: Query, caption: str) -> str:
    numeric = [
        all(isinstance(row[name], int | float | decimal.Decimal) or row[name] is None for row in query.rows)
        for name in query.columns
    ]
    head = "".join(
        f"<th scope='col'{' class=number' if is_number else ''}>{escape(name.replace('_', ' '))}</th>"
        for name, is_number in zip(query.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f"<td{' class=number' if is_number else ''}>{escape(format_value(row[name]))}</td>"
            for name, is_number in zip(query.columns, numeric, strict=True)
        )
        + "</tr>"
        for row in query.rows
    )
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(caption, quote=True)}'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def format_value(value: Any) -> str:
    """A value as a British reader expects it: 1,234 · 12.3 · 31 March 2026 · yes/no · – for nothing."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float() | decimal.Decimal():
            return f"{value:,.1f}"
        case datetime.datetime():
            return f"{value.day} {value:%B %Y, %H:%M}"
        case datetime.date():
            return f"{value.day} {value:%B %Y}"
        case _:
            return str(value)


def format_percent(part: float | None, whole: float | None = 1) -> str:
    """`part` of `whole` as a percentage with one decimal; – when there is no whole."""
    return "–" if part is None or not whole else f"{100 * part / whole:.1f}%"
