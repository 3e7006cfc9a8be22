"""Charts from query results: a short description in, inline SVG with a text alternative out.

Drawn by Vega-Lite through vl-convert (pyramids by `pyramid`), in this process, without a network. Every chart is followed by its
data as a table, so the picture never carries what the text does not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Literal

import vl_convert
from pydantic import BaseModel, ConfigDict, model_validator

from orchestration.publishing.pyramid import draw_pyramid

Row = Mapping[str, Any]

#: Colours close to the NHS service manual, ordered so that neighbours differ for colour-blind readers.
PALETTE = ["#005eb8", "#ffb81c", "#007f3b", "#8a1538", "#00a499", "#7c2855", "#41b6e6", "#768692"]
_SHADES = ["#00264d", "#005eb8", "#5b9bd5", "#a5c8ea", "#768692", "#d8dde0"]
#: The two sides of a pyramid, left and right.
_SIDES = [PALETTE[2], PALETTE[0]]
_FONT = "Arial, Helvetica, sans-serif"


class Chart(BaseModel):
    """A chart block: which query, which columns, which form. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")

    query: str
    kind: Literal["bar", "stacked_bar", "share_bar", "column", "interval", "line", "pyramid"]
    title: str
    #: Says in words what the picture shows; becomes the text alternative.
    description: str
    x: str
    y: str
    colour: str | None = None
    #: Columns with the limits of x, for an interval chart.
    low: str | None = None
    high: str | None = None
    #: The groups of `colour` run from low to high: shades of one hue instead of distinct colours.
    is_ordered: bool = False
    x_title: str = ""
    y_title: str = ""
    #: Order of the categories of y (bars) as a query gives them, unless listed here.
    order: list[str] | None = None
    height: int | None = None

    @model_validator(mode="after")
    def _has_limits(self) -> Chart:
        if self.kind == "pyramid" and self.colour is None:
            raise ValueError("a pyramid names in colour the column with its two sides")
        if (self.kind == "interval") != (self.low is not None and self.high is not None):
            raise ValueError("an interval chart names the columns low and high, and no other chart does")
        return self


class ChartError(Exception):
    """A chart block that cannot be drawn; the message names the block and what to change."""


def to_svg(chart: Chart, rows: Sequence[Row]) -> str:
    """Draw `chart` from `rows` (dicts with the columns it names) as one accessible `<svg>` element.

    Raises `ChartError` when a column is not in the rows.
    """
    needed = [name for name in (chart.x, chart.y, chart.colour, chart.low, chart.high) if name]
    for name in needed:
        if rows and name not in rows[0]:
            raise ChartError(f"chart {chart.title!r}: query {chart.query!r} has no column {name!r}; it has {sorted(rows[0])}")
    if chart.kind == "pyramid":
        return _accessible(_pyramid(chart, rows), chart)
    data = [{name: _plain(row[name]) for name in needed} for row in rows]
    return _accessible(render(_spec(chart, data)), chart)


def _pyramid(chart: Chart, rows: Sequence[Row]) -> str:
    counts = {(str(row[chart.y]), str(row[chart.colour])): float(row[chart.x] or 0) for row in rows}
    categories = chart.order or list(dict.fromkeys(category for category, _ in counts))
    groups = sorted({group for _, group in counts})
    if len(groups) > len(_SIDES):
        raise ChartError(f"chart {chart.title!r}: a pyramid has two sides, and {chart.colour!r} has {', '.join(groups)}")
    return draw_pyramid(categories, groups, counts, _SIDES[: len(groups)], chart.x_title)


def render(spec: dict[str, Any]) -> str:
    """Draw a Vega-Lite specification as SVG; the version of Vega-Lite is pinned, so that pictures change on purpose only."""
    return vl_convert.vegalite_to_svg(spec, vl_version="5.21")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    return value if isinstance(value, int | float | str | bool) or value is None else float(value)


def _spec(chart: Chart, data: list[dict[str, Any]]) -> dict[str, Any]:
    categories = chart.order or list(dict.fromkeys(row[chart.y] for row in data))
    height = chart.height or max(120, 24 * len(categories))
    base = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": {"values": data},
        "width": 680,
        "height": height,
        "background": None,
        "config": {
            "font": _FONT,
            "axis": {
                "labelFontSize": 14,
                "titleFontSize": 14,
                "gridColor": "#d8dde0",
                "labelLimit": 260,
                "titleFontWeight": "normal",
            },
            "legend": {"labelFontSize": 14, "titleFontSize": 14, "orient": "bottom", "columns": 6, "labelLimit": 260},
            "view": {"stroke": None},
            "range": {"category": _SHADES if chart.is_ordered else PALETTE},
        },
    }
    return base | _FORMS[chart.kind](chart, categories)


def _bar(chart: Chart, categories: list[Any]) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "y": {"field": chart.y, "type": "nominal", "sort": categories, "title": chart.y_title or None},
        "x": {
            "field": chart.x,
            "type": "quantitative",
            "title": chart.x_title or None,
            "axis": {"format": ",d", "tickMinStep": 1},
        },
    }
    if chart.colour:
        encoding["color"] = _colour(chart)
    return {"mark": {"type": "bar", "color": PALETTE[0]}, "encoding": encoding}


def _colour(chart: Chart) -> dict[str, Any]:
    """Groups in the order of the query, or from low to high when they have an order of their own."""
    return {"field": chart.colour, "type": "nominal", "title": None, "sort": "ascending" if chart.is_ordered else None}


def _share_bar(chart: Chart, categories: list[Any]) -> dict[str, Any]:
    form = _bar(chart, categories)
    form["encoding"]["x"] |= {"stack": "normalize", "axis": {"format": ".0%"}}
    return form


def _column(chart: Chart, _categories: list[Any]) -> dict[str, Any]:
    """Upright bars over a scale of steps, as a histogram has them; `colour` splits a bar."""
    encoding: dict[str, Any] = {
        "x": {
            "field": chart.x,
            "type": "ordinal",
            "title": chart.x_title or None,
            "axis": {"labelAngle": 0, "labelOverlap": True},
        },
        "y": {
            "field": chart.y,
            "type": "quantitative",
            "title": chart.y_title or None,
            "axis": {"format": ",d", "tickMinStep": 1},
        },
    }
    if chart.colour:
        encoding["color"] = _colour(chart)
    return {"mark": {"type": "bar", "color": PALETTE[0]}, "encoding": encoding, "height": chart.height or 280}


def _interval(chart: Chart, categories: list[Any]) -> dict[str, Any]:
    """A dot for each category of y and a line from `low` to `high`; the scale need not begin at nought, as no bar does."""
    rows = {"field": chart.y, "type": "nominal", "sort": categories, "title": chart.y_title or None}
    scale = {"scale": {"zero": False}, "type": "quantitative"}
    colour = {"color": _colour(chart)} if chart.colour else {}
    line = {"x": {"field": chart.low, "title": chart.x_title or None, **scale}, "x2": {"field": chart.high}, "y": rows}
    dot = {"x": {"field": chart.x, **scale}, "y": rows}
    return {
        "layer": [
            {"mark": {"type": "rule", "strokeWidth": 3, "color": PALETTE[6]}, "encoding": line | colour},
            {"mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": PALETTE[0]}, "encoding": dot | colour},
        ]
    }


def _line(chart: Chart, _categories: list[Any]) -> dict[str, Any]:
    encoding: dict[str, Any] = {
        "x": {"field": chart.x, "type": "temporal", "title": chart.x_title or None, "axis": {"format": "%b %Y"}},
        "y": {"field": chart.y, "type": "quantitative", "title": chart.y_title or None, "axis": {"format": ",d"}},
    }
    if chart.colour:
        encoding["color"] = _colour(chart)
    return {
        "mark": {"type": "line", "strokeWidth": 3, "color": PALETTE[0]},
        "encoding": encoding,
        "height": chart.height or 280,
    }


_FORMS = {
    "bar": _bar,
    "stacked_bar": _bar,
    "share_bar": _share_bar,
    "column": _column,
    "interval": _interval,
    "line": _line,
}


def _accessible(svg: str, chart: Chart) -> str:
    """Give the picture a name and a text alternative, and let it shrink with the page."""
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg).groups()
    inner = re.sub(r"^.*?<svg[^>]*>", "", svg, count=1, flags=re.DOTALL)
    # Marks carry aria attributes of their own, which would read out every bar: the whole is one image.
    inner = re.sub(r' (aria-[a-z]+|role)="[^"]*"', "", inner)
    return (
        f'<svg role="img" aria-label="{escape(chart.title)}. {escape(chart.description)}" viewBox="0 0 {width} {height}" '
        f'style="max-width:{float(width):.0f}px" class="chart">{inner}'
    )
