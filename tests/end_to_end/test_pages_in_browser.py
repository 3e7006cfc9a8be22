"""The sites of a release in a real browser: from disk, without a network, for whoever reads them and however."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import subprocess
from datetime import date
from itertools import islice, pairwise
from pathlib import Path

import pytest

from orchestration.publishing.formats import format_value
from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.pdf import find_chromium, print_pages
from orchestration.publishing.site import open_site

PURPOSES = ("direct_care", "secondary_use", "open")
NARROW, WIDE = 320, 1280
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: Pages that are opened at once, each in a frame of its own.
AT_ONCE = 24
INSTALL_SECONDS = 300


@pytest.fixture(scope="module")
def chromium() -> Path:
    """A browser: the one that is here, or Debian's, installed now where that is possible."""
    found = find_chromium()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install = "apt-get update -qq && apt-get install -qq --no-install-recommends chromium"
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(["/bin/sh", "-c", install], capture_output=True, check=False, timeout=INSTALL_SECONDS)
        found = find_chromium()
    if found is None:
        pytest.skip(
            "no Chromium is installed, and it could not be installed (apt-get as root): pages were not opened in a browser"
        )
    return found


@pytest.fixture(scope="module")
def browser(chromium):
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pages were not opened in a browser"
    )
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(chromium), args=FLAGS)
        yield opened
        opened.close()


class Watched:
    """A page of the browser, what it complained of, and the hosts that it asked."""

    def __init__(self, browser, width: int = WIDE, **options) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.context.route(lambda url: not url.startswith(("file:", "data:", "blob:")), lambda route: route.abort())

    @property
    def to_others(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]


@pytest.fixture
def watch(browser):
    opened = []

    def watch(width: int = WIDE, **options) -> Watched:
        opened.append(Watched(browser, width, **options))
        return opened[-1]

    yield watch
    for watched in opened:
        watched.context.close()
        assert (watched.complaints, watched.to_others) == ([], [])


@pytest.fixture(scope="module")
def release_dir(loaded) -> Path:
    return loaded.data_dir / "releases" / "current"


@pytest.fixture(scope="module")
def one_of_each(release_dir) -> list[Path]:
    """A page of every file of pages, for the first purpose that shows it; and the search."""
    chosen: dict[Path, Path] = {}
    for purpose in PURPOSES:
        folder = release_dir / purpose
        facts = SiteFacts(purpose, "", date(2026, 4, 1))
        with open_site(folder / f"{purpose}.duckdb", Path("pages"), facts) as site:
            for page in site.pages.values():
                chosen.setdefault(page.source, folder / "site" / page.href)
    return [*chosen.values(), release_dir / "direct_care" / "site" / "search.html"]


def test_every_page_opens_from_disk_speaks_to_nobody_and_fits_a_phone(watch, release_dir, tmp_path):
    watched = watch()
    files = sorted(release_dir.glob("*/site/*.html"))
    assert len(files) > 300
    faults = []
    batches = iter(files)
    while batch := list(islice(batches, AT_ONCE)):
        frames = tmp_path / "frames.html"
        frames.write_text(
            "".join(f"<iframe src='{path.as_uri()}' width={NARROW} height=600 style='border:0'></iframe>" for path in batch)
        )
        watched.page.goto(frames.as_uri())
        for frame in watched.page.frames[1:]:
            faults += frame.evaluate(f"""() => {{
                const faults = [], page = location.pathname;
                if (!document.querySelector('main h1').textContent) faults.push('no heading');
                if (document.documentElement.scrollWidth > {NARROW}) faults.push('wider than a phone');
                for (const figure of document.querySelectorAll('figure')) {{
                    const picture = figure.querySelector('svg');
                    if (picture && !picture.getAttribute('aria-label')) faults.push('a picture without words');
                    if (!figure.querySelector('table tbody')) faults.push('a picture without its data');
                }}
                return faults.map((fault) => page + ': ' + fault);
            }}""")
    assert faults == []
    assert len([url for url in watched.requests if url.endswith(".html")]) >= len(files)


def test_no_page_breaks_the_accessibility_guidelines(watch, one_of_each):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed: accessibility was not tested"
    )
    watched = watch()
    found = []
    for path in one_of_each:
        watched.page.goto(path.as_uri())
        watched.page.evaluate("document.querySelectorAll('main details').forEach((part) => { part.open = true; })")
        result = axe.Axe().run(watched.page, options={"runOnly": WCAG, "resultTypes": ["violations"]})
        found += [(path.name, fault["id"], fault["nodes"][0]["html"][:200]) for fault in result.response["violations"]]
    assert found == []


def table(page, caption: str) -> list[list[str]]:
    """The cells of the table with that caption, as they are read."""
    return page.evaluate(
        """(caption) => {
            const table = Array.from(document.querySelectorAll('table')).find((t) => t.caption.textContent === caption);
            return Array.from(table.tBodies[0].rows, (row) => Array.from(row.cells, (cell) => cell.textContent));
        }""",
        caption,
    )


def test_a_table_says_what_the_release_says(watch, loaded, release_dir):
    page = watch().page
    page.goto((release_dir / "direct_care" / "site" / "conditions.html").as_uri())
    expected = loaded.query(
        "select d.name, d.description, d.version, (select coalesce(sum(n_people), 0)::bigint from marts.definition_people as p "
        "where p.kind = 'condition' and p.code = d.code) from marts.definition as d where d.kind = 'condition' order by d.name"
    )
    assert sorted(table(page, "listed")) == sorted([*words, format_value(people)] for *words, people in expected)


def test_a_hidden_figure_says_hidden(watch, loaded, release_dir):
    page = watch().page
    page.goto((release_dir / "open" / "site" / "index.html").as_uri())
    expected = loaded.query(
        "select replace(condition_code, '_', ' '), n_patients, is_n_patients_hidden from marts.agg_condition "
        "where area_type = 'all' and month_end = (select max(month_end) from marts.agg_condition)",
        "open",
    )
    shown = {row[0]: row[1] for row in table(page, "conditions")}
    assert shown == {name: format_value(n, is_hidden) for name, n, is_hidden in expected}
    assert "hidden" in shown.values()


def test_a_table_is_sorted_by_keyboard_and_saved_as_it_stands(watch, release_dir, tmp_path):
    page = watch().page
    page.goto((release_dir / "direct_care" / "site" / "conditions.html").as_uri())
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('th')?.textContent === 'people now'"):
            break
    page.keyboard.press("Enter")
    assert page.get_attribute("th:has(button:focus)", "aria-sort") == "ascending"
    page.keyboard.press("Space")
    assert page.get_attribute("th:has(button:focus)", "aria-sort") == "descending"
    people = [int(row[-1].replace(",", "")) for row in table(page, "listed")]
    assert all(more >= less for more, less in pairwise(people))
    assert people[0] > people[-1]
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").first.click()
    download.value.save_as(tmp_path / "saved.csv")
    header, *rows = csv.reader((tmp_path / "saved.csv").read_text(encoding="utf-8-sig").splitlines())
    assert header[-1] == "people now"
    assert [int(row[-1]) for row in rows] == people


def test_dates_sort_by_day_and_are_saved_for_a_spreadsheet(watch, release_dir):
    page = watch().page
    page.goto((release_dir / "direct_care" / "site" / "index.html").as_uri())
    column = page.locator("table", has=page.locator("caption", has_text="sources")).first.locator("td:nth-child(4)")
    assert column.first.get_attribute("data-value") == "2026-04-01"
    assert column.first.inner_text() == "1 April 2026"


def test_the_search_finds_pages_and_columns_without_a_server(watch, release_dir):
    page = watch().page
    page.goto((release_dir / "secondary_use" / "site" / "codelists.html").as_uri())
    page.get_by_role("searchbox").fill("hypertens")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=hypertens*")
    page.locator("#results").get_by_role("link", name="Hypertension", exact=True).click()
    assert page.url.endswith("/secondary_use/site/condition-hypertension.html")
    page.goto((release_dir / "secondary_use" / "site" / "search.html").as_uri() + "?q=imd_decile")
    assert "person.imd_decile" in page.locator("#results").inner_text()


def test_without_scripts_everything_can_still_be_read(watch, release_dir):
    page = watch(java_script_enabled=False).page
    page.goto((release_dir / "direct_care" / "site" / "conditions.html").as_uri())
    assert page.locator("tbody tr").count() > 40
    assert page.get_by_role("button", name="Save as CSV").count() == 0
    page.get_by_text("Definitions", exact=True).click()
    page.get_by_role("link", name="Scores", exact=True).click()
    assert page.locator("h1").inner_text() == "Scores"
    page.goto((release_dir / "direct_care" / "site" / "search.html").as_uri())
    assert page.get_by_role("link", name="Hypertension", exact=True).is_visible()


def test_paper_shows_what_is_to_be_read_and_nothing_to_press(watch, release_dir):
    page = watch().page
    page.goto((release_dir / "direct_care" / "site" / "condition-hypertension.html").as_uri())
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="Hypertension").is_visible()
    assert page.locator("svg").first.is_visible()
    assert "Release 2026-04-01" in page.locator("footer").inner_text()
    for pressed in ("nav", ".save", ".search-box", "summary", ".skip"):
        assert not any(element.is_visible() for element in page.locator(pressed).all()), pressed
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    paper_width = 180 / 25.4 * 96
    page.set_viewport_size({"width": int(paper_width), "height": 1000})
    assert page.evaluate("document.documentElement.scrollWidth") <= paper_width


def test_pages_are_printed_by_one_start_of_the_browser(chromium, release_dir, tmp_path):
    copies = []
    for name in ("index.html", "condition-hypertension.html"):
        copies.append(tmp_path / name)
        shutil.copy(release_dir / "direct_care" / "site" / name, copies[-1])
    printed = print_pages(chromium, copies)
    assert [path.name for path in printed] == ["index.pdf", "condition-hypertension.pdf"]
    assert all(path.read_bytes().startswith(b"%PDF-") and path.stat().st_size > 10_000 for path in printed)
