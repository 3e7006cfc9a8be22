"""The page builder: Markdown with SQL blocks in, one self-contained HTML page out.

A page is a Markdown file with a front matter (`title`, `description`), SQL blocks and chart blocks:

    ```sql people
    select sex, count(*) as n_people from marts.person group by sex
    ```

runs on the release and names its rows; `sql people table` shows them as a table as well, and what follows is its caption. In a
table, a column `name_page` is not shown: it makes links of column `name`. Text may use the rows through Jinja,
`{{ people[0].n_people | number }}`. A `chart` block holds the YAML of `charts.Chart` and names the query it draws.

One file makes many pages when its front matter has `pages`: SQL with one row a page and a column `slug`, the name of its file.
The columns of the row are `{{ page.code }}` in text, title and description, and `$code` in SQL.

Pages fetch nothing: style, charts and data are inside the file, so a page opens from disk in a closed network.
"""

from __future__ import annotations

import datetime
import decimal
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
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
#: What has pages of its own only: open data, whose tables hold nobody, and what goes back to a supplier.
_BY_ITSELF = ("open", "feedback")
_HOME = "index"
_LINKS = "_page"

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LOCAL = re.compile(r"[a-z0-9-]+\.html(?:#[a-z0-9-]+)?")
_HREF = re.compile(r"""<a href=["']([^"']*)["']""")


class PageError(Exception):
    """A page that cannot be built; the message says which file, which block and what to do."""


@dataclass(frozen=True)
class Query:
    """The rows of one SQL block, as dicts, and its column names (known even when there are no rows)."""

    columns: list[str]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Front:
    """The front matter of a page. `pages` is SQL with a row for each page that the file makes; without it the file makes one."""

    title: str
    description: str
    pages: str | None = None
    #: Whether pages of a file with `pages` are in the navigation; a page by itself always is.
    in_navigation: bool = False


@dataclass(frozen=True)
class Page:
    """One page to be built: its file, its text, its name without ending, and the row of values that it stands for."""

    source: Path
    slug: str
    front: Front
    text: str
    values: Mapping[str, Any]

    @property
    def href(self) -> str:
        return f"{self.slug}.html"

    @property
    def is_in_navigation(self) -> bool:
        return self.front.pages is None or self.front.in_navigation


def build_site(database: Path, pages_dir: Path, output_dir: Path, context: Mapping[str, str]) -> list[Path]:
    """Build every page of `pages_dir` from the release database into `output_dir`.

    `pages_dir` holds `layout.html`, `style.css`, `<purpose>/*.md` and `common/*.md`, for every purpose with tables about people
    that has no page of that name; `context` gives the layout its values and must have `purpose`, `release_id` and `as_of`.
    Returns the files written.
    Raises `PageError` for a page that cannot be built, and for a link to a page that is not there.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    folders = [*(() if context["purpose"] in _BY_ITSELF else ("common",)), context["purpose"]]
    sources = {page.stem: page for folder in folders for page in pages_dir.glob(f"{folder}/*.md")}
    layout = jinja2.Environment(autoescape=True).from_string((pages_dir / _LAYOUT).read_text(encoding="utf-8"))
    style = (pages_dir / _STYLE).read_text(encoding="utf-8")
    written = []
    with duckdb.connect(str(database), read_only=True) as connection:
        pages = [page for source in sorted(sources.values()) for page in find_pages(source, connection, context)]
        _check_names(pages)
        navigation = sorted((page for page in pages if page.is_in_navigation), key=lambda p: (p.slug != _HOME, p.front.title))
        for page in pages:
            body = render_page(page, connection, context)
            _check_links(page, body, {other.href for other in pages})
            entries = [(entry.href, entry.front.title, entry is page) for entry in navigation]
            html = layout.render(
                style=style, body=body, title=page.front.title, description=page.front.description, navigation=entries, **context
            )
            target = output_dir / page.href
            target.write_text(html, encoding="utf-8")
            written.append(target)
    return written


def find_pages(source: Path, connection: duckdb.DuckDBPyConnection, context: Mapping[str, str]) -> list[Page]:
    """The pages that one file makes: one, or one for each row of its `pages`."""
    front, text = _split_front_matter(source)
    if front.pages is None:
        return [Page(source, source.stem, _filled(source, front, {}, context), text, {})]
    rows = _run(source, "pages", front.pages, connection, {}).rows
    if rows and "slug" not in rows[0]:
        raise PageError(f"{source}, pages: the query has no column slug, which names the file of each page")
    return [Page(source, str(row["slug"]), _filled(source, front, row, context), text, row) for row in rows]


def render_page(page: Page, connection: duckdb.DuckDBPyConnection, context: Mapping[str, str]) -> str:
    """Render the body of one page as HTML."""
    queries = _run_queries(page, _blocks(page.text), connection)
    rows = {name: query.rows for name, query in queries.items()}
    markdown = _markdown()
    tokens = markdown.parse(_fill_in(page.source, page.text, {**rows, "page": page.values, **context}))
    return "".join(_render_token(page.source, markdown, group, queries) for group in _groups(tokens))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@lru_cache(maxsize=64)
def _blocks(text: str) -> list[Token]:
    """The fenced blocks of a text before it is filled in; one file makes many pages."""
    return [token for token in _markdown().parse(text) if token.type == "fence"]


def _split_front_matter(source: Path) -> tuple[Front, str]:
    text = source.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise PageError(f"{source}: a page starts with a front matter between two lines of ---")
    head, _, body = text[4:].partition("\n---\n")
    values = yaml.safe_load(head)
    known = {field.name for field in fields(Front)}
    if not isinstance(values, dict) or not {"title", "description"} <= values.keys() <= known:
        raise PageError(
            f"{source}: the front matter has title and description, and may have pages and in_navigation; nothing else"
        )
    return Front(**values), body


def _filled(source: Path, front: Front, values: Mapping[str, Any], context: Mapping[str, str]) -> Front:
    title, description = (_fill_in(source, text, {"page": values, **context}) for text in (front.title, front.description))
    return replace(front, title=title, description=description)


def _check_names(pages: Sequence[Page]) -> None:
    seen: dict[str, Page] = {}
    for page in pages:
        if not _SLUG.fullmatch(page.slug):
            raise PageError(f"{page.source}: {page.slug!r} cannot name a page; use small letters, digits and hyphens")
        if page.slug in seen:
            raise PageError(f"{page.source}: the page {page.slug!r} is made twice, here and by {seen[page.slug].source}")
        seen[page.slug] = page


def _check_links(page: Page, body: str, known: set[str]) -> None:
    for href in _HREF.findall(body):
        if href.partition("#")[0] not in known | {""}:
            raise PageError(f"{page.source}, page {page.slug!r}: it links to {href}, which is no page of this site")


def _run_queries(page: Page, tokens: list[Token], connection: duckdb.DuckDBPyConnection) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for token in tokens:
        kind, name, *_ = _fence(token)
        if kind != "sql":
            continue
        if not name.isidentifier() or name in queries:
            raise PageError(f"{page.source}, line {token.map[0] + 1}: a sql block needs a name of its own, such as `sql people`")
        queries[name] = _run(page.source, name, token.content, connection, page.values)
    return queries


def _run(source: Path, name: str, sql: str, connection: duckdb.DuckDBPyConnection, values: Mapping[str, Any]) -> Query:
    """The rows of a query, its `$name` parameters taken from `values`."""
    try:
        (statement,) = duckdb.extract_statements(sql)
        wanted = statement.named_parameters
        if unknown := sorted(wanted - values.keys()):
            raise PageError(f"{source}, sql block {name!r}: ${unknown[0]} is no column of `pages`")
        cursor = connection.execute(sql, {key: values[key] for key in wanted})
        columns = [column[0] for column in cursor.description]
        return Query(columns, [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()])
    except (duckdb.Error, ValueError) as error:
        raise PageError(f"{source}, sql block {name!r}: {error}") from error


def _fill_in(source: Path, text: str, values: Mapping[str, Any]) -> str:
    try:
        return _template(text).render(**values)
    except (jinja2.TemplateError, TypeError, ZeroDivisionError) as error:
        raise PageError(f"{source}: {error}") from error


@lru_cache(maxsize=64)
def _template(text: str) -> jinja2.Template:
    """A text compiled; one file makes many pages."""
    return _environment().from_string(text)


@cache
def _environment() -> SandboxedEnvironment:
    """Jinja as pages may use it."""
    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": format_value, "date": format_value, "percent": format_percent}
    return environment


def _fence(token: Token) -> tuple[str, str, bool, str]:
    """Kind, name, whether a table is wanted, and its caption, of a fenced block; empty strings for anything else."""
    if token.type != "fence":
        return "", "", False, ""
    words = [*token.info.split(), "", "", ""]
    return words[0], words[1], words[2] == "table", " ".join(words[3:]).strip()


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
    kind, name, wants_table, caption = _fence(group[0])
    if kind == "sql":
        return _table(source, queries[name], caption or name.replace("_", " "), is_titled=bool(caption)) if wants_table else ""
    if kind == "chart":
        return _figure(source, group[0], queries)
    return markdown.renderer.render(group, markdown.options, {})


@lru_cache(maxsize=256)
def _chart(block: str) -> Chart:
    return Chart(**yaml.safe_load(block))


def _figure(source: Path, token: Token, queries: dict[str, Query]) -> str:
    where = f"{source}, chart block at line {token.map[0] + 1}"
    try:
        chart = _chart(token.content)
        query = queries[chart.query]
        svg = to_svg(chart, query.rows) if query.rows else "<p>There is nothing to show in this release.</p>"
    except (ValidationError, ChartError, yaml.YAMLError, TypeError) as error:
        raise PageError(f"{where}: {error}") from error
    except KeyError as error:
        raise PageError(f"{where}: there is no sql block named {error}") from error
    return (
        f"<figure><figcaption>{escape(chart.title)}</figcaption>{svg}"
        f"<details><summary>Data as a table<span class='hidden'>: {escape(chart.title)}</span></summary>"
        f"{_table(source, query, chart.title)}</details></figure>"
    )


def _table(source: Path, query: Query, caption: str, is_titled: bool = False) -> str:
    """A query as a table. A caption that the page shows elsewhere (not `is_titled`) is for those who hear the page only."""
    shown = [name for name in query.columns if name.removesuffix(_LINKS) not in query.columns or not name.endswith(_LINKS)]
    numeric = {
        name: all(isinstance(row[name], int | float | decimal.Decimal) or row[name] is None for row in query.rows)
        for name in shown
    }
    head = "".join(
        f"<th scope='col'{' class=number' if numeric[name] else ''}>{escape(name.replace('_', ' '))}</th>" for name in shown
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=number' if numeric[name] else ''}>{_cell(source, row, name)}</td>" for name in shown)
        + "</tr>"
        for row in query.rows
    )
    return (
        f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(caption, quote=True)}'>"
        f"<table><caption{'' if is_titled else ' class=hidden'}>{escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(source: Path, row: Mapping[str, Any], name: str) -> str:
    text = escape(format_value(row[name]))
    href = row.get(f"{name}{_LINKS}")
    if href is None:
        return text
    if not _LOCAL.fullmatch(str(href)):
        raise PageError(f"{source}: column {name}{_LINKS} holds {href!r}; it names pages of this site, such as index.html")
    return f"<a href='{escape(str(href), quote=True)}'>{text}</a>"


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
