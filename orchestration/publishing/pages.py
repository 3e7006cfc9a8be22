"""One page: Markdown with SQL blocks in, the body of an HTML page out.

A page is a Markdown file with a front matter (`Front`), SQL blocks and chart blocks:

    ```sql people
    select sex, count(*) as n_people from marts.person group by sex
    ```

runs on the release and names its rows; `sql people table` shows them as a table as well, and what follows is its caption. In a
table, a column `name_page` is not shown: it makes links of column `name`; where a column `is_name_hidden` is true, `name` says
`hidden`. Text may use the rows through Jinja, `{{ people[0].n_people | number }}`. A `chart` block holds the YAML of
`charts.Chart` and names the query it draws.

One file makes many pages when its front matter has `pages`: SQL with one row a page and a column `slug`, the name of its file.
The columns of the row are `{{ page.code }}` in text, title and description, and `$code` in SQL.

A page reads the tables of one purpose's release, and nothing else: no file, no other database, no setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache, lru_cache
from html import escape
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import jinja2
import yaml
from jinja2.sandbox import SandboxedEnvironment
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import ValidationError

from orchestration.publishing.charts import Chart, ChartError, is_hidden, to_svg
from orchestration.publishing.formats import format_percent, format_value
from orchestration.publishing.queries import Query, QueryError, run_query
from orchestration.publishing.tables import TableError, render_table

_OPENING = re.compile(r"^(`{3,})(sql|chart)\b")
_DEFINITION = "definition="
_PAGE_OF_TABLE = "table-{}"
_SOURCES = "sources"


class PageError(Exception):
    """A page that cannot be built; the message says which file, which line and what to do."""


@dataclass(frozen=True)
class SiteFacts:
    """What a site is about. `sources` says how fresh each is; `tables` maps every purpose to the tables that it has."""

    purpose: str
    release_id: str
    as_of: date
    is_synthetic: bool = False
    sources: Sequence[Mapping[str, Any]] = ()
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: A GeoJSON file with the outlines of areas.
    boundaries: Path | None = None

    @property
    def words(self) -> dict[str, str]:
        """What the text of a page may say of its release."""
        return {
            "purpose": self.purpose,
            "release_id": self.release_id,
            "as_of": format_value(self.as_of),
            "is_synthetic": "yes" if self.is_synthetic else "",
            "coverage": self.coverage,
        }

    @property
    def coverage(self) -> str:
        """How many sources the figures rest on, in words."""
        n_fresh = sum(bool(source["is_fresh"]) for source in self.sources)
        return f"{n_fresh} of {len(self.sources)} sources up to date" if self.sources else ""


@dataclass(frozen=True)
class Front:
    """The front matter of a page. `pages` is SQL with a row for each page that the file makes; without it the file makes one."""

    title: str
    description: str
    #: The menu that the page is in.
    section: str = ""
    pages: str | None = None
    #: Whether pages of a file with `pages` are in the navigation; a page by itself always is.
    in_navigation: bool = False
    #: Whether the page is printed to a PDF beside it.
    pdf: bool = False


@dataclass(frozen=True)
class Page:
    """One page to be built: its file, its text from `line` on, its name without ending, and the row of values it stands for."""

    source: Path
    slug: str
    front: Front
    text: str
    line: int
    values: Mapping[str, Any]

    @property
    def href(self) -> str:
        return f"{self.slug}.html"

    @property
    def is_in_navigation(self) -> bool:
        return self.front.pages is None or self.front.in_navigation


@dataclass(frozen=True)
class Body:
    """A page's body as HTML, and its headings: id and words."""

    html: str
    headings: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Block:
    """The opening line of a fenced block of SQL or a chart, with its line in the file."""

    kind: str
    line: int
    name: str = ""
    wants_table: bool = False
    definitions: Sequence[str] = ()
    caption: str = ""


def find_pages(source: Path, connection: duckdb.DuckDBPyConnection, facts: SiteFacts) -> list[Page]:
    """The pages that one file makes: one, or one for each row of its `pages`."""
    front, text, line = _split_front_matter(source)
    if front.pages is None:
        return [Page(source, source.stem, _filled(source, front, {}, facts), text, line, {})]
    rows = _run(f"{source}, pages", front.pages, connection, {}, facts).rows
    if rows and "slug" not in rows[0]:
        raise PageError(f"{source}, pages: the query has no column slug, which names the file of each page")
    return [Page(source, str(row["slug"]), _filled(source, front, row, facts), text, line, row) for row in rows]


def render_page(page: Page, connection: duckdb.DuckDBPyConnection, facts: SiteFacts, titles: Mapping[str, str]) -> Body:
    """Render the body of one page. `titles` maps the name of every page of the site to its title, for links to definitions."""
    text = _numbered(page.text, page.line)
    queries = _run_queries(page, _sql_blocks(text), connection, facts)
    rows = {name: query.rows for name, query in queries.items()}
    filled = _fill_in(page.source, text, {**rows, "page": page.values, **facts.words}, page.line)
    markdown = _markdown()
    tokens = markdown.parse(filled)
    headings = list(_name_headings(tokens))
    renderer = _Renderer(page, facts, titles, queries)
    return Body("".join(renderer.render(markdown, group) for group in _groups(tokens)), headings)


@cache
def _markdown() -> MarkdownIt:
    """The dialect of pages: CommonMark with tables, which scroll by themselves where a screen is narrow."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    opening = "<div class='table'><div class='scroll' tabindex='0' role='region' aria-label='Table'><table>"
    markdown.add_render_rule("table_open", lambda *_: opening)
    markdown.add_render_rule("table_close", lambda *_: "</table></div></div>")
    return markdown


@lru_cache(maxsize=64)
def _sql_blocks(text: str) -> list[tuple[_Block, str]]:
    """The blocks of SQL of a text before it is filled in; one file makes many pages."""
    blocks = [(_block(token), token.content) for token in _markdown().parse(text)]
    return [(block, content) for block, content in blocks if block and block.kind == "sql"]


def _numbered(text: str, first_line: int) -> str:
    """The text with the line of the file in the opening of every block, which later steps move."""
    lines = text.split("\n")
    return "\n".join(_OPENING.sub(rf"\1\2 @{number}", line) for number, line in enumerate(lines, first_line))


def _split_front_matter(source: Path) -> tuple[Front, str, int]:
    """The front matter, the text after it, and the line on which that begins."""
    text = source.read_text(encoding="utf-8")
    if not text.startswith("---\n") or "\n---\n" not in text[4:]:
        raise PageError(f"{source}, line 1: a page starts with a front matter between two lines of ---")
    head, _, body = text[4:].partition("\n---\n")
    try:
        values = yaml.safe_load(head)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PageError(f"{source}, line {mark.line + 2 if mark else 1}: the front matter is no YAML: {error}") from error
    known = {name.name for name in fields(Front)}
    if not isinstance(values, dict) or not {"title", "description"} <= values.keys() <= known:
        optional = ", ".join(sorted(known - {"title", "description"}))
        raise PageError(f"{source}, line 1: the front matter has title and description, and may have {optional}; nothing else")
    return Front(**values), body, head.count("\n") + 4


def _filled(source: Path, front: Front, values: Mapping[str, Any], facts: SiteFacts) -> Front:
    """The front matter with the values of one page in its words."""
    words = {"page": values, **facts.words}
    title, description, section = (_fill_in(source, text, words, 1) for text in (front.title, front.description, front.section))
    return replace(front, title=title, description=description, section=section)


def _run_queries(
    page: Page, blocks: Sequence[tuple[_Block, str]], connection: duckdb.DuckDBPyConnection, facts: SiteFacts
) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for block, sql in blocks:
        if not block.name.isidentifier() or block.name in queries:
            raise PageError(f"{page.source}, line {block.line}: a sql block needs a name of its own, such as `sql people`")
        where = f"{page.source}, line {block.line}, sql block {block.name!r}"
        queries[block.name] = _run(where, sql, connection, page.values, facts)
    return queries


def _run(where: str, sql: str, connection: duckdb.DuckDBPyConnection, values: Mapping[str, Any], facts: SiteFacts) -> Query:
    try:
        return run_query(sql, connection, values, facts.purpose, facts.tables)
    except QueryError as error:
        raise PageError(f"{where}: {error}") from error


def _fill_in(source: Path, text: str, values: Mapping[str, Any], first_line: int) -> str:
    try:
        return _template(text).render(**values)
    except jinja2.TemplateSyntaxError as error:
        raise PageError(f"{source}, line {first_line + error.lineno - 1}: {error.message}") from error
    except (jinja2.TemplateError, TypeError, ValueError, ZeroDivisionError) as error:
        raise PageError(f"{source}, line {first_line + _line_of(error.__traceback__) - 1}: {error}") from error


def _line_of(trace: TracebackType | None) -> int:
    """The line of the template on which something failed."""
    line = 1
    while trace:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


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


def _block(token: Token) -> _Block | None:
    """A fenced block of SQL or of a chart; None for anything else.

    Its opening line reads `sql @line name table definition=page words`, of which the line is put in by `_numbered`.
    """
    if token.type != "fence":
        return None
    kind, *words = token.info.split() or [""]
    if kind not in ("sql", "chart"):
        return None
    line = int(words.pop(0)[1:])
    name, wants_table, *words = [*words, "", ""]
    definitions: list[str] = []
    if words and words[0].startswith(_DEFINITION):
        definitions = words.pop(0).removeprefix(_DEFINITION).split(",")
    return _Block(kind, line, name, wants_table == "table", definitions, " ".join(words).strip())


def _groups(tokens: list[Token]) -> list[list[Token]]:
    """Split the token stream so that every sql or chart block stands alone."""
    groups: list[list[Token]] = [[]]
    for token in tokens:
        if _block(token):
            groups += [[token], []]
        else:
            groups[-1].append(token)
    return [group for group in groups if group]


def _name_headings(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Give every second-level heading an id, so that links and the search can lead to it."""
    taken: set[str] = set()
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            words = "".join(child.content for child in inline.children or [])
            name = base = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or "part"
            while name in taken:
                name = f"{base}-{len(taken)}"
            taken.add(name)
            token.attrSet("id", name)
            yield name, words


@lru_cache(maxsize=256)
def _chart(block: str) -> Chart:
    return Chart(**yaml.safe_load(block))


@dataclass(frozen=True)
class _Renderer:
    """Blocks and text of one page as HTML."""

    page: Page
    facts: SiteFacts
    titles: Mapping[str, str]
    queries: Mapping[str, Query]

    def render(self, markdown: MarkdownIt, group: list[Token]) -> str:
        block = _block(group[0])
        if block is None:
            return markdown.renderer.render(group, markdown.options, {})
        try:
            if block.kind == "chart":
                return self._figure(group[0].content)
            return self._table(block) if block.wants_table else ""
        except ValidationError as error:
            faults = "; ".join(": ".join([*map(str, e["loc"]), e["msg"].removeprefix("Value error, ")]) for e in error.errors())
            raise PageError(f"{self.page.source}, chart block at line {block.line}: {faults}") from error
        except (ChartError, TableError, yaml.YAMLError, TypeError) as error:
            raise PageError(f"{self.page.source}, {block.kind} block at line {block.line}: {error}") from error

    def _table(self, block: _Block) -> str:
        query = self.queries[block.name]
        caption = block.caption or block.name.replace("_", " ")
        table = render_table(query, caption, is_titled=bool(block.caption))
        return f"<div class='table'>{table}{self._provenance(query, block.definitions, 0)}</div>"

    def _figure(self, content: str) -> str:
        chart = _chart(content)
        if chart.query not in self.queries:
            raise ChartError(f"there is no sql block named {chart.query!r}")
        query = self.queries[chart.query]
        title = escape(chart.title)
        n_hidden = sum(is_hidden(row, chart.figure) for row in query.rows)
        definitions = re.split(r"[,\s]+", chart.definition) if chart.definition else []
        return (
            f"<figure><figcaption>{title}</figcaption>{self._picture(chart, query)}"
            f"{self._provenance(query, definitions, n_hidden)}"
            f"<details><summary>Data as a table<span class='hidden'>: {title}</span></summary>"
            f"{render_table(query, chart.title)}</details></figure>"
        )

    def _picture(self, chart: Chart, query: Query) -> str:
        if not query.rows:
            return "<p>There is nothing to show in this release.</p>"
        if chart.kind == "map" and self.facts.boundaries is None:
            return (
                "<p>No map is drawn: no file with the boundaries of areas was given (setting PHM_BOUNDARIES). See the table.</p>"
            )
        svg = to_svg(chart, query.rows, self.facts.boundaries)
        return (
            f"<div class='scroll' tabindex='0' role='region' aria-label='{escape(chart.title, quote=True)}, picture'>{svg}</div>"
        )

    def _provenance(self, query: Query, definitions: Sequence[str], n_hidden: int) -> str:
        """The small print of a figure: date, coverage, what is hidden, what it means and where it comes from."""
        words = [f"As of {format_value(self.facts.as_of)}"]
        if self.facts.coverage:
            words.append(self._link(_SOURCES, self.facts.coverage) if _SOURCES in self.titles else self.facts.coverage)
        if n_hidden:
            words.append(
                f"{n_hidden:,} {'figure is' if n_hidden == 1 else 'figures are'} hidden, to protect people, and not drawn"
            )
        if unknown := [slug for slug in definitions if slug not in self.titles]:
            raise TableError(f"definition names {unknown[0]!r}, which is no page of this site")
        if definitions:
            words.append("What it means: " + ", ".join(self._link(slug, escape(self.titles[slug])) for slug in definitions))
        if query.tables:
            slugs = [(_PAGE_OF_TABLE.format(table.replace("_", "-")), table.replace("_", " ")) for table in query.tables]
            words.append("From " + ", ".join(self._link(slug, name) if slug in self.titles else name for slug, name in slugs))
        return f"<p class='source'>{'. '.join(words)}.</p>"

    @staticmethod
    def _link(slug: str, words: str) -> str:
        return f"<a href='{slug}.html'>{words}</a>"
