"""Charts from query results: a short description in, inline SVG with a text alternative out.

Most are drawn by Vega-Lite through vl-convert (`chart_forms`), pyramids and flows by modules of their own; all in this process,
without a network. Every chart is followed by its data as a table, so the picture never carries what the text does not.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

import vl_convert
from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.publishing.boundaries import BoundaryError, find_shapes
from orchestration.publishing.chart_forms import PALETTE, specification
from orchestration.publishing.pyramid import draw_pyramid
from orchestration.publishing.sankey import draw_sankey

Row = Mapping[str, Any]

#: The two sides of a pyramid, left and right.
_SIDES = [PALETTE[2], PALETTE[0]]

#: Columns that each kind of chart names, and those that it may name.
_COLUMNS: dict[str, tuple[set[str], set[str]]] = {
    "bar": ({"x", "y"}, {"colour", "facet"}),
    "stacked_bar": ({"x", "y"}, {"colour", "facet"}),
    "share_bar": ({"x", "y"}, {"colour", "facet"}),
    "column": ({"x", "y"}, {"colour", "facet"}),
    "interval": ({"x", "y", "low", "high"}, {"colour", "facet"}),
    "line": ({"x", "y"}, {"colour", "facet", "low", "high"}),
    "funnel": ({"x", "y", "limits"}, {"colour", "facet", "label"}),
    "heat_map": ({"x", "y", "value"}, {"facet"}),
    "pyramid": ({"x", "y", "colour"}, set()),
    "sankey": ({"from", "to", "value"}, set()),
    "map": ({"area", "value"}, set()),
}
_ALL_COLUMNS = {"x", "y", "colour", "facet", "low", "high", "limits", "label", "value", "from", "to", "area"}


class Chart(BaseModel):
    """A chart block: which query, which columns, which form. Keys that are unknown, or of no use to the kind, are refused."""

    model_config = ConfigDict(extra="forbid")

    query: str
    kind: Literal[
        "bar", "stacked_bar", "share_bar", "column", "interval", "line", "funnel", "heat_map", "pyramid", "sankey", "map"
    ]
    title: str
    #: Says in words what the picture shows; becomes the text alternative.
    description: str
    x: str | None = None
    y: str | None = None
    colour: str | None = None
    #: One small chart for each value of this column.
    facet: str | None = None
    facets_a_row: int = Field(default=3, ge=1, le=6)
    #: Columns with the limits of x (interval) or of y (line).
    low: str | None = None
    high: str | None = None
    #: Pairs of columns with the limits of a funnel, the narrowest pair first.
    limits: list[tuple[str, str]] = []
    #: The column whose words stand beside the points of a funnel; a point with NULL there has none.
    label: str | None = None
    #: The number of a cell, a flow or an area.
    value: str | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    #: The column with the code of an area, as in the boundary file.
    area: str | None = None
    #: A value that everything is set against: a line is drawn there.
    reference: float | None = None
    #: How figures are written; whole numbers and decimals are told apart by themselves.
    percent: bool = False
    #: The groups of `colour` run from low to high: shades of one hue instead of distinct colours.
    is_ordered: bool = False
    x_title: str = ""
    y_title: str = ""
    #: Order of the categories of y (bars) as a query gives them, unless listed here.
    order: list[str] | None = None
    height: int | None = None
    #: Page of this site, without .html, that says what the figures mean.
    definition: str | None = None

    @model_validator(mode="after")
    def _names_its_columns(self) -> Chart:
        needed, possible = _COLUMNS[self.kind]
        named = {name for name in _ALL_COLUMNS if getattr(self, "from_" if name == "from" else name)}
        if missing := sorted(needed - named):
            raise ValueError(f"kind {self.kind} also needs {', '.join(missing)}")
        if useless := sorted(named - needed - possible):
            raise ValueError(f"kind {self.kind} has no use for {', '.join(useless)}")
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high go together")
        return self

    @property
    def figure(self) -> str:
        """The column with the number that the chart shows."""
        if self.kind in ("column", "line", "funnel"):
            return str(self.y)
        return str(self.value or self.x)

    @property
    def columns(self) -> list[str]:
        """Every column that the chart reads."""
        single = [self.x, self.y, self.colour, self.facet, self.low, self.high, self.label, self.value, self.from_, self.to]
        return [name for name in [*single, self.area, *(name for pair in self.limits for name in pair)] if name]


class ChartError(Exception):
    """A chart block that cannot be drawn; the message names the block and what to change."""


def to_svg(chart: Chart, rows: Sequence[Row], boundaries: Path | None = None) -> str:
    """Draw `chart` from `rows` (dicts with the columns it names) as one accessible `<svg>` element.

    A row whose column `is_<figure>_hidden` is true has no figure: it is never drawn as nought. `boundaries` is the GeoJSON file
    of a map. Raises `ChartError` when a column is not in the rows, or when a map has no outlines.
    """
    for name in chart.columns:
        if rows and name not in rows[0]:
            raise ChartError(f"chart {chart.title!r}: query {chart.query!r} has no column {name!r}; it has {sorted(rows[0])}")
    if chart.kind == "pyramid":
        return _accessible(_pyramid(chart, rows), chart)
    if chart.kind == "sankey":
        return _accessible(_sankey(chart, rows), chart)
    shapes = None
    if chart.kind == "map":
        if boundaries is None:
            raise ChartError(f"chart {chart.title!r}: a map needs a boundary file")
        try:
            shapes = find_shapes(boundaries, {str(row[str(chart.area)]) for row in rows})
        except BoundaryError as error:
            raise ChartError(f"chart {chart.title!r}: {error}") from error
    data = [{name: _plain(row[name]) for name in chart.columns} | {"hidden": is_hidden(row, chart.figure)} for row in rows]
    return _accessible(render(specification(chart, data, shapes)), chart)


def is_hidden(row: Row, column: str) -> bool:
    """Whether disclosure control hid this figure: the row says so in the column `is_<column>_hidden`."""
    return bool(row.get(f"is_{column}_hidden"))


def _pyramid(chart: Chart, rows: Sequence[Row]) -> str:
    x, y, colour = str(chart.x), str(chart.y), str(chart.colour)
    counts = {(str(row[y]), str(row[colour])): float(row[x] or 0) for row in rows}
    hidden = {(str(row[y]), str(row[colour])) for row in rows if is_hidden(row, x)}
    categories = chart.order or list(dict.fromkeys(category for category, _ in counts))
    groups = sorted({group for _, group in counts})
    if len(groups) > len(_SIDES):
        raise ChartError(f"chart {chart.title!r}: a pyramid has two sides, and {chart.colour!r} has {', '.join(groups)}")
    return draw_pyramid(categories, groups, counts, _SIDES[: len(groups)], chart.x_title, hidden)


def _sankey(chart: Chart, rows: Sequence[Row]) -> str:
    flows: dict[tuple[str, str], float] = {}
    for row in rows:
        if row[str(chart.value)]:
            flow = (str(row[str(chart.from_)]), str(row[str(chart.to)]))
            flows[flow] = flows.get(flow, 0) + float(row[str(chart.value)])
    left, right = (list(dict.fromkeys(flow[side] for flow in flows)) for side in (0, 1))
    groups = chart.order or list(dict.fromkeys(left + right))
    if strangers := sorted({*left, *right} - {*groups}):
        raise ChartError(f"chart {chart.title!r}: order does not name {', '.join(strangers)}")
    colours = {group: PALETTE[i % len(PALETTE)] for i, group in enumerate(groups)}
    return draw_sankey([g for g in groups if g in left], [g for g in groups if g in right], flows, colours)


def render(spec: dict[str, Any]) -> str:
    """Draw a Vega-Lite specification as SVG; the version of Vega-Lite is pinned, so that pictures change on purpose only."""
    return vl_convert.vegalite_to_svg(spec, vl_version="5.21")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return value if isinstance(value, int | float | str | bool) or value is None else float(value)


def _accessible(svg: str, chart: Chart) -> str:
    """Give the picture a name and a text alternative, and let it shrink with the page."""
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    inner = re.sub(r"^.*?<svg[^>]*>", "", svg, count=1, flags=re.DOTALL)
    # Marks carry aria attributes of their own, which would read out every bar: the whole is one image.
    inner = re.sub(r' (aria-[a-z]+|role)="[^"]*"', "", inner)
    inner = _with_names_of_its_own(inner)
    return (
        f'<svg role="img" aria-label="{escape(chart.title)}. {escape(chart.description)}" viewBox="0 0 {width} {height}" '
        f'style="max-width:{float(width):.0f}px" class="chart">{inner}'
    )


def _with_names_of_its_own(inner: str) -> str:
    """Name clips and gradients by what the picture holds: Vega calls them the same in every picture, and a page has many."""
    if ' id="' not in inner:
        return inner
    mark = hashlib.sha256(inner.encode()).hexdigest()[:8]
    return re.sub(r'( id="|url\(#|href="#)', rf"\g<1>c{mark}-", inner)
