"""A page says what the release says, fetches nothing, and refuses to be built from a mistake."""

from __future__ import annotations

import base64
import datetime
import hashlib
import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import duckdb
import pytest

from orchestration.publishing.boundaries import BoundaryError, find_shapes
from orchestration.publishing.charts import Chart, to_svg
from orchestration.publishing.formats import format_percent, format_value
from orchestration.publishing.pages import PageError, SiteFacts
from orchestration.publishing.pyramid import tick_step
from orchestration.publishing.site import build_site

FACTS = SiteFacts(
    "secondary_use",
    "2026-03-31-01",
    datetime.date(2026, 3, 31),
    is_synthetic=True,
    sources=[{"source": "wood", "is_fresh": True}, {"source": "park", "is_fresh": False}],
    tables={"secondary_use": ["tree"], "direct_care": ["tree", "leaf"]},
)
SHIPPED = ("layout.html", "style.css", "page.js", "search.html", "search.js")
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
        for name in SHIPPED:
            (pages / name).write_text(Path("pages", name).read_text(encoding="utf-8"), encoding="utf-8")
        for name, text in sources.items():
            (pages / "common" / f"{name}.md").write_text(text, encoding="utf-8")
        written = build_site(database, pages, tmp_path / "site", FACTS)
        return {path.name: path.read_text(encoding="utf-8") for path in written}

    return build_all


@pytest.fixture
def build(build_all):
    def build(page: str) -> str:
        return build_all(trees=page)["trees.html"]

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


def test_a_hidden_figure_says_so_and_is_never_nought(build):
    flagged = "kind, case when n_trees > 9 then n_trees end as n_trees, n_trees <= 9 as is_n_trees_hidden from"
    html = build(PAGE.replace("kind, n_trees from", flagged).replace("n_trees | number", "n_trees | number(true)"))
    assert "There are hidden" in html
    assert "<td>&lt;Elm&gt;</td><td class=number>hidden</td>" in html
    assert "is n trees hidden" not in html
    assert ">hidden</text>" in re.search(r"<svg.*?</svg>", html, re.DOTALL)[0]
    assert "1 figure is hidden" in html


def test_a_figure_says_when_how_complete_and_what_it_means(build_all):
    kinds = INDEX.replace("sql kinds table", "sql kinds table definition=elm Every kind")
    chart = PAGE.replace("y: kind", "y: kind\ndefinition: elm")
    made = build_all(tree=ONE_PAGE_A_KIND, kinds=kinds, trees=chart, **{"table-tree": PAGE})
    small_print = (
        "<p class='source'>As of 31 March 2026. 1 of 2 sources up to date. What it means: <a href='elm.html'>&lt;Elm&gt;</a>. "
        "From <a href='table-tree.html'>tree</a>.</p>"
    )
    assert small_print in made["kinds.html"]
    assert small_print in made["trees.html"].partition("<figure>")[2]
    assert "<caption>Every kind</caption>" in made["kinds.html"]


def test_the_search_knows_pages_headings_tables_and_columns(build_all):
    html = build_all(trees=PAGE + "\n## Where </script> they stand\n")["search.html"]
    entries = json.loads(re.search(r'<script type="application/json" id="index">(.*?)</script>', html, re.DOTALL)[1])
    assert ["page", "Trees", "How many trees there are.", "trees.html"] in entries
    assert ["part", "Where </script> they stand", "Trees", "trees.html#where-script-they-stand"] in entries
    assert ["column", "tree.n_trees", "", ""] in entries
    assert '<a href="trees.html">Trees</a>' in html


def test_pages_of_a_section_stand_in_one_menu(build_all):
    made = build_all(trees=PAGE.replace("title: Trees\n", "title: Trees\nsection: Wood\n", 1), kinds=INDEX, tree=ONE_PAGE_A_KIND)
    (menu,) = re.findall(r"<details.*?</details>", made["trees.html"].partition("</nav>")[0], re.DOTALL)
    assert "<summary>Wood</summary>" in menu
    assert "trees.html" in menu
    assert "kinds.html" not in menu


SHAPE = {"type": "Polygon", "coordinates": [[[0, 51], [0.1, 51], [0.1, 51.1], [0, 51.1], [0, 51]]]}
MAP = PAGE.replace("kind: bar", "kind: map").replace("x: n_trees\ny: kind", "area: kind\nvalue: n_trees")


def test_a_map_without_boundaries_says_so(build):
    html = build(MAP)
    assert "no file with the boundaries of areas was given" in html
    assert "Data as a table" in html


@pytest.mark.parametrize("holes", [[], [[[0.02, 51.02], [0.04, 51.02], [0.04, 51.04], [0.02, 51.02]]]])
def test_outlines_are_found_by_whichever_property_has_the_codes(tmp_path, holes):
    far = {"type": "Polygon", "coordinates": [[[5, 55], [6, 55], [6, 56], [5, 55]]]}
    near = SHAPE | {"coordinates": SHAPE["coordinates"] + holes}
    features = [
        {"type": "Feature", "properties": {"name": "a wood", "LSOA21CD": "E1"}, "geometry": near},
        {"type": "Feature", "properties": {"name": "E1", "LSOA21CD": "E2"}, "geometry": SHAPE},
        {"type": "Feature", "properties": {"name": "else", "LSOA21CD": "E3"}, "geometry": far},
    ]
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    shapes = find_shapes(path, ["E1", "E2", "E9"])
    assert [shape["properties"]["area"] for shape in shapes.features] == ["E1", "E2"]
    assert [len(shape["geometry"]["coordinates"][0]) for shape in shapes.features] == [1 + len(holes), 1]
    # at 51 degrees north a degree of longitude is 0.63 of a degree of latitude
    assert shapes.aspect == pytest.approx(0.63, abs=0.01)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "no GeoJSON"), ('{"features": []}', "holds no polygon"), (json.dumps({"features": []}), "holds no polygon")],
)
def test_a_boundary_file_that_is_none_is_refused(tmp_path, text, message):
    path = tmp_path / "areas.geojson"
    path.write_text(text)
    with pytest.raises(BoundaryError, match=message):
        find_shapes(path, ["E1"])


KINDS = {
    "bar": {"x": "n", "y": "place"},
    "line": {"x": "month", "y": "n", "low": "low", "high": "high"},
    "funnel": {"x": "size", "y": "n", "limits": [("low", "high")], "label": "word", "reference": 1},
    "heat_map": {"x": "place", "y": "other", "value": "n"},
    "sankey": {"from": "place", "to": "other", "value": "n"},
    "map": {"area": "place", "value": "n"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("facet", [None, "other"])
def test_every_kind_draws_a_picture_with_names_of_its_own(tmp_path, kind, facet):
    if facet and kind in ("sankey", "map"):
        return
    month = datetime.date(2026, 1, 31)
    rows = [
        {"place": place, "other": other, "month": month, "n": n, "low": n - 1, "high": n + 1.5, "size": 10 * n, "word": place}
        for n, (place, other) in enumerate(itertools.product("AB", "xy"), 1)
    ]
    features = [{"type": "Feature", "properties": {"code": code}, "geometry": SHAPE} for code in "AB"]
    (tmp_path / "areas").write_text(json.dumps({"features": features}))
    chart = Chart(query="q", kind=kind, title="Trees & shrubs", description="What <grows>.", facet=facet, **KINDS[kind])
    svg = to_svg(chart, rows, tmp_path / "areas")
    assert svg.startswith('<svg role="img" aria-label="Trees &amp; shrubs. What &lt;grows&gt;."')
    assert ElementTree.fromstring(svg.replace("xlink:", "")).findall(".//*[@fill]") != []
    names = set(re.findall(r' id="([^"]*)"', svg))
    assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= names
    other = to_svg(chart, [row | {"n": row["n"] + 1} for row in rows], tmp_path / "areas")
    assert names.isdisjoint(re.findall(r' id="([^"]*)"', other))


def test_bands_of_a_flow_are_as_thick_as_their_people():
    rows = [{"from": "A", "to": "A", "n": 30}, {"from": "A", "to": "B", "n": 10}, {"from": "B", "to": "B", "n": 0}]
    svg = to_svg(Chart(query="q", kind="sankey", title="t", description="d", value="n", **{"from": "from", "to": "to"}), rows)
    bands = re.findall(r'd="M[\d.]+,([\d.]+)C.*?V.*?([\d.]+) [\d.]+,[\d.]+Z"', svg)
    thick, thin = (float(bottom) - float(top) for top, bottom in bands)
    assert thick == pytest.approx(3 * thin, rel=0.01)
    assert "A 40" in svg
    assert "B 10" in svg


def test_a_browser_that_fails_leaves_a_page_without_its_pdf(tmp_path, database, build_all):
    wanted = PAGE.replace("title: Trees\n", "title: Trees\npdf: true\n", 1)
    assert "trees.html" in build_all(trees=wanted)
    written = build_site(database, tmp_path / "pages", tmp_path / "again", FACTS, chromium=Path("/bin/false"))
    assert [path.name for path in written] == ["trees.html", "search.html"]
    assert "trees.pdf" not in written[0].read_text(encoding="utf-8")


def test_a_page_fetches_nothing(build):
    html = build(PAGE)
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert "@import" not in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    for script in re.findall(r"<script>(.*?)</script>", html, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy


def test_one_file_makes_a_page_for_each_row(build_all):
    made = build_all(tree=ONE_PAGE_A_KIND, kinds=INDEX)
    assert made.keys() == {"oak-ash.html", "elm.html", "kinds.html", "search.html"}
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
        (
            PAGE.replace("marts.tree", "marts.leaf"),
            "line 8, sql block 'trees': it reads marts.leaf, which is a table of direct_care",
        ),
        (PAGE.replace("marts.tree", "direct_care.marts.tree"), "direct_care.marts.tree, which is a table of direct_care"),
        (PAGE.replace("marts.tree", "'/etc/x.csv'"), "no file or other database"),
        (PAGE.replace("select kind", "attach 'x.duckdb' as other --"), "it changes nothing"),
        (PAGE.replace("There are", "{% for t in trees %}\n{% if t.n_trees %}"), "line 7: Unexpected end"),
        (PAGE.replace("There are {{ trees[0]", "There are\nmany, {{ trees[9]"), "line 7: "),
        (
            PAGE.replace("There are", "{% if trees %}\n\n{% endif %}There are").replace("x: n_trees", "x: low"),
            "chart block at line 14",
        ),
        (PAGE.replace("title: Trees", "title: [Trees"), "line 3: the front matter is no YAML"),
        (PAGE.replace("kind: bar", "kind: bar\nlow: n_trees"), "kind bar has no use for low"),
        (PAGE.replace("kind: bar", "kind: bar\ndefinition: shrub"), "definition names 'shrub', which is no page of this site"),
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
