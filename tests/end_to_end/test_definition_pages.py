"""The sites of a release: a page for every definition, whole by itself; the open one counts nobody beyond open data."""

from __future__ import annotations

import re
import shutil
from html import escape
from html.parser import HTMLParser

import pytest
from small_place import REPOSITORY

PURPOSES = ("direct_care", "secondary_use", "open")
LARGEST = 500_000
VOID = {"meta", "link", "br", "hr", "img", "input", "line", "path", "rect"}


class Balance(HTMLParser):
    """Tags that are open, and what was closed that was not."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag, _attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.faults.append(tag)


@pytest.fixture(scope="module", params=PURPOSES)
def site(request, loaded):
    folder = loaded.data_dir / "releases" / "current" / request.param / "site"
    return request.param, {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


def test_every_definition_has_a_page_with_its_rule(site, loaded):
    purpose, pages = site
    lines = loaded.query("select kind || '-' || replace(code, '_', '-') || '.html', rule from marts.definition_rule", purpose)
    defined = {
        f"{kind}-{code.replace('_', '-')}.html" for kind, code in loaded.query("select kind, code from marts.definition", purpose)
    }
    assert len(defined) > 90
    assert {name for name, _ in lines} == defined <= pages.keys()
    for name, rule in lines:
        assert escape(rule, quote=False).replace("&amp;", "&") in pages[name].replace("&amp;", "&"), (name, rule)


def test_every_definition_that_is_not_trained_has_a_worked_example(loaded):
    without = loaded.query(
        "select code from marts.definition anti join marts.definition_example using (kind, code) "
        "where not exists (from marts.definition_rule as r where r.code = definition.code and r.rule like '%trained here%')"
    )
    assert without == []


def test_a_page_is_whole_by_itself(site):
    for name, html in site[1].items():
        assert len(html) < LARGEST, name
        assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//|@import|<script src""", html), name
        assert '<html lang="en-GB">' in html
        assert len(re.findall("<title>[^<]+</title>", html)) == len(re.findall("<h1>[^<]+</h1>", html)) == 1, name
        assert html.count("<svg") == len(re.findall(r'<svg role="img" aria-label="[^"]+"', html)), name
        written_in_the_text = html.count("aria-label='Table'><table>")
        assert html.count("<table>") - written_in_the_text == html.count("<caption") == html.count("</caption>"), name
        balance = Balance()
        balance.feed(html)
        assert (balance.open, balance.faults) == ([], []), name


def test_people_on_a_page_are_those_of_the_release(loaded):
    for purpose in ("direct_care", "secondary_use"):
        ((n_people,),) = loaded.query(
            "select count(*) from marts.person_condition inner join marts.person using (person_id) "
            "where condition_code = 'hypertension' and is_active and is_alive",
            purpose,
        )
        page = loaded.data_dir / "releases" / "current" / purpose / "site" / "condition-hypertension.html"
        assert f"{n_people:,} people alive on" in page.read_text(encoding="utf-8")


def test_the_open_site_counts_nobody_beyond_open_data(loaded):
    shown = {
        n
        for row in loaded.query("select n_patients, n_registered from marts.agg_condition where area_type = 'all'", "open")
        for n in row
    }
    for path in (loaded.data_dir / "releases" / "current" / "open" / "site").glob("condition-*.html"):
        for number in re.findall(r"([\d,]+) people were on", path.read_text(encoding="utf-8")):
            assert int(number.replace(",", "")) in shown


def test_sites_are_built_again_beside_the_release(loaded, tmp_path):
    pages = tmp_path / "pages"
    shutil.copytree(REPOSITORY / "pages", pages)
    (pages / "open" / "people.md").write_text(
        "---\ntitle: People\ndescription: All.\n---\n\n```sql people\nselect count(*) from marts.person\n```\n"
    )
    published = loaded.data_dir / "releases" / "current" / "open" / "site" / "index.html"
    before = published.read_bytes()
    command = ("pages", "--purpose", "open", "--folder", str(pages), "--to", str(tmp_path / "out"))
    refused = loaded.phm(*command)
    assert refused.returncode == 1
    assert "people.md, line 6" in refused.stderr
    assert "marts.person, which is a table of direct_care and secondary_use" in refused.stderr
    assert not (tmp_path / "out" / "open").exists()
    (pages / "open" / "people.md").write_text("---\ntitle: People\ndescription: All.\n---\n\nNobody.\n")
    built = loaded.phm(*command)
    assert built.returncode == 0, built.stderr
    assert "Nobody." in (tmp_path / "out" / "open" / "people.html").read_text(encoding="utf-8")
    assert published.read_bytes() == before


def test_a_release_that_is_not_there_is_named(loaded):
    refused = loaded.phm("pages", "--release", "2020-01-01-x")
    assert refused.returncode == 2
    assert f"no release '2020-01-01-x'; the releases are: {loaded.current}" in refused.stderr
