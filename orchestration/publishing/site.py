"""A site: every page of one purpose of one release, in one folder, that opens from disk in a closed network.

Style, scripts, charts and data are inside each file. A page may run the scripts that are shipped with it and nothing else: its
Content-Security-Policy names them by their hash, and lets it speak to no host. Without scripts everything can still be read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from orchestration.publishing.pages import Body, Page, PageError, SiteFacts, find_pages, render_page
from orchestration.publishing.pdf import print_pages
from orchestration.publishing.search import search_entries

_STYLE = "style.css"
_LAYOUT = "layout.html"
_SCRIPT = "page.js"
_SEARCH_SCRIPT = "search.js"
_SEARCH_LAYOUT = "search.html"
_SEARCH = "search"
#: What goes back to suppliers: each page is sent to one of them by itself, and leads nowhere.
_FEEDBACK = "feedback"
#: What has pages of its own only: open data, whose tables hold nobody, and feedback.
_BY_ITSELF = ("open", _FEEDBACK)
_HOME = "index"

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_HREF = re.compile(r"""<a href=["']([^"']*)["']""")


def build_site(
    database: Path, pages_dir: Path, output_dir: Path, facts: SiteFacts, *, chromium: Path | None = None
) -> list[Path]:
    """Build every page of `pages_dir` from the release database into `output_dir`.

    `pages_dir` holds the layout, style and scripts, `<purpose>/*.md` and `common/*.md`, for every purpose with tables about
    people that has no page of that name. Pages that ask for a PDF get one when `chromium` names a browser to print it.
    Returns the files written.
    Raises `PageError` for a page that cannot be built, and for a link to a page that is not there.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    with open_site(database, pages_dir, facts) as site:
        bodies = {slug: site.body(page) for slug, page in site.pages.items()}
        files = {slug: output_dir / page.href for slug, page in site.pages.items()}
        for slug, page in site.pages.items():
            files[slug].write_text(site.html(page, bodies[slug]), encoding="utf-8")
        to_print = [files[slug] for slug, page in site.pages.items() if page.front.pdf] if chromium else []
        printed = print_pages(chromium, to_print) if chromium and to_print else []
        for pdf in printed:
            page = site.pages[pdf.stem]
            files[pdf.stem].write_text(site.html(page, bodies[pdf.stem], pdf=pdf.name), encoding="utf-8")
        written = [*files.values(), *printed]
        if site.leads_on:
            search = output_dir / f"{_SEARCH}.html"
            search.write_text(site.search_html({slug: body.headings for slug, body in bodies.items()}), encoding="utf-8")
            written.append(search)
    return written


@contextmanager
def open_site(database: Path, pages_dir: Path, facts: SiteFacts, reload_script: str = "") -> Iterator[Site]:
    """The pages that a site is to have, over the release database. `reload_script` is what a preview runs in every page besides.

    Raises `PageError` when the files cannot be told apart or read.
    """
    # Whatever a page asks, it reaches nothing but the tables of its own release.
    locked = {"enable_external_access": "false", "lock_configuration": "true"}
    with duckdb.connect(str(database), read_only=True, config=locked) as connection:
        sources = _sources(pages_dir, facts.purpose)
        pages = [page for source in sources for page in find_pages(source, connection, facts)]
        _check_names(pages)
        yield Site(connection, pages_dir, facts, {page.slug: page for page in pages}, reload_script)


def _sources(pages_dir: Path, purpose: str) -> list[Path]:
    folders = [purpose] if purpose in _BY_ITSELF else ["common", purpose]
    return sorted({page.stem: page for folder in folders for page in pages_dir.glob(f"{folder}/*.md")}.values())


def _check_names(pages: Sequence[Page]) -> None:
    seen: dict[str, Page] = {}
    for page in pages:
        if not _SLUG.fullmatch(page.slug) or page.slug == _SEARCH:
            raise PageError(
                f"{page.source}: {page.slug!r} cannot name a page; use small letters, digits and hyphens, not `search`"
            )
        if page.slug in seen:
            raise PageError(f"{page.source}: the page {page.slug!r} is made twice, here and by {seen[page.slug].source}")
        seen[page.slug] = page


@dataclass(frozen=True)
class Menu:
    """A section of the navigation, or (without a name) one page: link, title, whether it is the page being shown."""

    section: str
    entries: Sequence[tuple[str, str, bool]]

    @property
    def is_current(self) -> bool:
        return any(is_current for *_, is_current in self.entries)


@dataclass(frozen=True)
class Site:
    """The pages of a site by name, and how each becomes HTML."""

    connection: duckdb.DuckDBPyConnection
    pages_dir: Path
    facts: SiteFacts
    pages: Mapping[str, Page]
    reload_script: str = ""

    @property
    def leads_on(self) -> bool:
        """Whether its pages lead to one another and to a search."""
        return self.facts.purpose != _FEEDBACK

    def body(self, page: Page) -> Body:
        """The body of a page, whose links lead to pages of this site."""
        body = render_page(page, self.connection, self.facts, {slug: other.front.title for slug, other in self.pages.items()})
        known = {f"{slug}.html" for slug in [*self.pages, _SEARCH]} | {""}
        for href in _HREF.findall(body.html):
            if href.partition("#")[0] not in known:
                raise PageError(f"{page.source}, page {page.slug!r}: it links to {href}, which is no page of this site")
        return body

    def html(self, page: Page, body: Body, pdf: str = "") -> str:
        """The whole page; `pdf` is the name of its printed form, if there is one."""
        return self._fill(
            title=page.front.title, description=page.front.description, body=body.html, pdf=pdf, menus=self._menus(page)
        )

    def search_html(self, headings: Mapping[str, Sequence[tuple[str, str]]]) -> str:
        """The page that searches pages, with their `headings`, and the dictionary; it lists every page, for want of scripts."""
        layout = jinja2.Environment(autoescape=True).from_string(self._shipped(_SEARCH_LAYOUT))
        entries = search_entries(self.pages, headings, self.connection)
        # In a script element only an end tag could end the text.
        index = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        listed = sorted(self.pages.values(), key=lambda page: (page.front.section, page.front.title))
        body = layout.render(index=index, pages=[(page.href, page.front.title, page.front.section) for page in listed])
        return self._fill(
            title="Search",
            description="Pages of this site, and every table and column of its release.",
            body=body,
            menus=self._menus(None),
            script=self._shipped(_SEARCH_SCRIPT),
            is_search=True,
        )

    def _menus(self, shown: Page | None) -> list[Menu]:
        listed = sorted((p for p in self.pages.values() if p.is_in_navigation), key=lambda p: (p.slug != _HOME, p.front.title))
        sections = sorted({page.front.section for page in listed} - {""})
        alone = [Menu("", [(p.href, p.front.title, p is shown)]) for p in listed if not p.front.section]
        return alone + [
            Menu(section, [(p.href, p.front.title, p is shown) for p in listed if p.front.section == section])
            for section in sections
        ]

    def _fill(self, *, body: str, script: str = "", **values: Any) -> str:
        scripts = [text for text in (self._script, script, self.reload_script) if text]
        return self._layout.render(
            style=self._style,
            scripts=scripts,
            leads_on=self.leads_on,
            policy=_policy(scripts, speaks_to_server=bool(self.reload_script)),
            body=body,
            **self.facts.words,
            **values,
        )

    @cached_property
    def _layout(self) -> jinja2.Template:
        return jinja2.Environment(autoescape=True).from_string(self._shipped(_LAYOUT))

    @cached_property
    def _style(self) -> str:
        return self._shipped(_STYLE)

    @cached_property
    def _script(self) -> str:
        return self._shipped(_SCRIPT)

    def _shipped(self, name: str) -> str:
        return _read(self.pages_dir / name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise PageError(f"{path}: {error.strerror}; a folder of pages has its layout, style and scripts") from error


def _policy(scripts: Sequence[str], *, speaks_to_server: bool) -> str:
    """The Content-Security-Policy of a page: its own scripts, its own style, no host."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts)
    connect = "connect-src 'self'; " if speaks_to_server else ""
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; {connect}"
        "base-uri 'none'; form-action 'self' file:"
    )
