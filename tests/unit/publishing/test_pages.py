"""A page says what the release says, fetches nothing, and refuses to be built from a mistake."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import duckdb
import pytest

from orchestration.publishing.pages import PageError, build_site, format_percent, format_value
from orchestration.publishing.pyramid import tick_step

CONTEXT = {
    "purpose": "secondary_use",
    "purpose_name": "Secondary use",
    "release_id": "2026-03-31-01",
    "as_of": "31 March 2026",
    "is_synthetic": "yes",
}
PAGE = """---
title: Trees
description: How many trees there are.
---

There are {{ trees[0].n_trees | number }} <b>trees</b>.

```sql trees table
select kind, n_trees from marts.tree order by n_trees desc
```

```chart
query: trees
kind: bar
title: Trees by kind
description: One bar a kind.
x: n_trees
y: kind
```
"""
ONE_PAGE_A_KIND = """---
title: "{{ page.kind }}"
description: Trees of one kind.
pages: select kind, lower(replace(replace(replace(kind, ' & ', '-'), '<', ''), '>', '')) as slug from marts.tree
---

```sql trees table Trees of this kind
select kind, n_trees from marts.tree where kind = $kind
```
"""
INDEX = """---
title: Kinds
description: Every kind.
---

```sql kinds table
select kind, case when n_trees > 100 then 'oak-ash.html' else 'elm.html' end as kind_page from marts.tree
```
"""


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "release.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.tree as select * from (values ('Oak & ash', 1234), ('<Elm>', 5)) as t(kind, n_trees)"
        )
    return path


@pytest.fixture
def build_all(tmp_path, database):
    def build_all(**sources: str) -> dict[str, str]:
        """Name -> HTML of the pages that the files (name -> Markdown) make."""
        pages = tmp_path / "pages"
        (pages / "common").mkdir(parents=True, exist_ok=True)
        for name in ("layout.html", "style.css"):
            (pages / name).write_text(Path("pages", name).read_text(encoding="utf-8"), encoding="utf-8")
        for name, text in sources.items():
            (pages / "common" / f"{name}.md").write_text(text, encoding="utf-8")
        written = build_site(database, pages, tmp_path / "site", CONTEXT)
        return {path.name: path.read_text(encoding="utf-8") for path in written}

    return build_all


@pytest.fixture
def build(build_all):
    def build(page: str) -> str:
        (html,) = build_all(trees=page).values()
        return html

    return build


def test_figures_in_text_and_table_are_those_of_the_release(build):
    html = build(PAGE)
    assert "There are 1,234" in html
    assert "<td>Oak &amp; ash</td><td class=number>1,234</td>" in html


def test_values_and_markup_of_the_page_are_escaped(build):
    html = build(PAGE)
    assert "<Elm>" not in html
    assert "<b>trees" not in html


def test_a_chart_has_a_text_alternative_and_its_data(build):
    html = build(PAGE)
    assert 'role="img" aria-label="Trees by kind. One bar a kind."' in html
    assert "Data as a table" in html


def test_an_interval_chart_draws_a_dot_and_a_line_a_row(build):
    chart = "kind: interval\nlow: low\nhigh: high"
    page = PAGE.replace("kind: bar", chart).replace(
        "kind, n_trees from", "kind, n_trees, 0.5 * n_trees as low, 2 * n_trees as high from"
    )
    (svg,) = re.findall(r"<svg.*?</svg>", build(page), re.DOTALL)
    assert len(re.findall(r"<line[^>]*stroke-width=\"3\"", svg)) == 2
    assert len(re.findall(r"<path[^>]*fill=\"#005eb8\"", svg)) == 2


def test_a_pyramid_sets_two_groups_back_to_back(build):
    pyramid = PAGE.replace("kind: bar", "kind: pyramid\ncolour: side").replace(
        "kind, n_trees from", "kind, n_trees, case when n_trees > 100 then 'A' else 'B' end as side from"
    )
    (svg,) = re.findall(r"<svg.*?</svg>", build(pyramid), re.DOTALL)
    bars = [(float(x), float(w)) for x, w in re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="17"', svg)]
    drawn = sorted(bar for bar in bars if bar[1])
    middle = drawn[0][0] + drawn[0][1]
    assert drawn[1][0] == pytest.approx(middle, abs=0.2)
    assert drawn[0][1] / drawn[1][1] == pytest.approx(1234 / 5, rel=0.1)
    assert "1,000" in svg


@pytest.mark.parametrize("largest", [0, 1, 4, 5, 37, 999, 123_456])
def test_a_pyramid_has_few_ticks_at_round_numbers(largest):
    step = tick_step(largest)
    assert step * 4 >= largest
    assert str(step).rstrip("0") in {"1", "2", "5"}


def test_a_column_chart_stands_upright(build):
    page = PAGE.replace("kind: bar", "kind: column").replace("x: n_trees\ny: kind", "x: kind\ny: n_trees")
    (svg,) = re.findall(r"<svg.*?</svg>", build(page), re.DOTALL)
    tall, short = (float(h) for h in re.findall(r'd="M[\d.]+,[\d.]+h[\d.]+v([\d.]+)h-', svg)[-2:])
    assert tall > 100 * short


def test_a_page_fetches_nothing(build):
    html = build(PAGE)
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert "@import" not in html
    assert "<script" not in html


def test_one_file_makes_a_page_for_each_row(build_all):
    made = build_all(tree=ONE_PAGE_A_KIND, kinds=INDEX)
    assert made.keys() == {"oak-ash.html", "elm.html", "kinds.html"}
    assert "<h1>Oak &amp; ash</h1>" in made["oak-ash.html"]
    assert "<td>Oak &amp; ash</td><td class=number>1,234</td>" in made["oak-ash.html"]
    assert "&lt;Elm&gt;" not in made["oak-ash.html"]
    assert "<h1>&lt;Elm&gt;</h1>" in made["elm.html"]


def test_a_column_of_pages_makes_links_of_the_column_before_it(build_all):
    html = build_all(tree=ONE_PAGE_A_KIND, kinds=INDEX)["kinds.html"]
    assert "<a href='oak-ash.html'>Oak &amp; ash</a>" in html
    assert "kind page" not in html


def test_a_table_has_a_caption_and_headers_with_a_scope(build_all):
    made = build_all(tree=ONE_PAGE_A_KIND, trees=PAGE)
    assert "<caption>Trees of this kind</caption>" in made["elm.html"]
    assert "<caption class=hidden>trees</caption>" in made["trees.html"]
    for html in made.values():
        assert html.count("<table>") == html.count("<caption")
        assert len(re.findall(r"<th(?= |>)", html)) == html.count("<th scope='col'")


def test_the_navigation_names_pages_and_not_every_value(build_all):
    made = build_all(tree=ONE_PAGE_A_KIND, kinds=INDEX)
    navigation = re.search(r"<nav.*?</nav>", made["kinds.html"], re.DOTALL)[0]
    assert '<a href="kinds.html" aria-current="page">Kinds</a>' in navigation
    assert "elm.html" not in navigation
    in_navigation = ONE_PAGE_A_KIND.replace("pages:", "in_navigation: true\npages:")
    assert "elm.html" in build_all(tree=in_navigation)["elm.html"].partition("</nav>")[0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (PAGE.replace("marts.tree", "marts.shrub"), "sql block 'trees'"),
        (PAGE.replace("query: trees", "query: shrubs"), "no sql block named 'shrubs'"),
        (PAGE.replace("x: n_trees", "x: n_shrubs"), "no column 'n_shrubs'"),
        (PAGE.replace("kind: bar", "kind: pie"), "chart block at line"),
        (PAGE.replace("kind: bar", "kind: pyramid"), "pyramid also needs colour"),
        (PAGE.replace("kind: bar", "kind: interval"), "interval also needs high, low"),
        (PAGE.replace("kind: bar", "kind: interval\nlow: least\nhigh: most"), "no column 'least'"),
        (PAGE.replace("title: Trees\n", ""), "front matter"),
        (PAGE.replace("{{ trees[0]", "{{ shrubs[0]"), "'shrubs' is undefined"),
        (PAGE.replace("```sql trees table", "```sql"), "needs a name"),
        (PAGE.replace("title: Trees", "title: Trees\npage: select 1"), "nothing else"),
        (PAGE.replace("n_trees desc", "$kind"), "$kind is no column of `pages`"),
        (PAGE.replace("There are", "[Shrubs](shrubs.html) are"), "links to shrubs.html"),
        (PAGE.replace("There are", "[Shrubs](https://example.org) are"), "links to https://example.org"),
        (
            PAGE.replace("kind, n_trees from", "kind, 'javascript:alert(1)' as kind_page, n_trees from"),
            "names pages of this site",
        ),
        (PAGE.replace("from marts.tree order by n_trees desc", "from marts.tree; select 1"), "sql block 'trees'"),
        (PAGE.replace("title: Trees", "title: Trees\npages: select 1 as kind"), "no column slug"),
        (PAGE.replace("title: Trees", "title: Trees\npages: select '../etc' as slug"), "cannot name a page"),
        (PAGE.replace("title: Trees", "title: Trees\npages: select 'x' as slug from marts.tree"), "is made twice"),
    ],
)
def test_a_mistake_names_the_page_and_the_block(build, wrong, message):
    with pytest.raises(PageError, match=re.escape(message)) as error:
        build(wrong)
    assert "trees.md" in str(error.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (1234567, "1,234,567"),
        (12.34, "12.3"),
        (True, "yes"),
        (datetime.date(2026, 4, 1), "1 April 2026"),
        (datetime.datetime(2026, 4, 1, 2, 5), "1 April 2026, 02:05"),
    ],
)
def test_values_are_written_as_a_british_reader_expects(value, text):
    assert format_value(value) == text


def test_a_share_of_nothing_is_not_zero():
    assert format_percent(0, 0) == "–"
    assert format_percent(1, 8) == "12.5%"
