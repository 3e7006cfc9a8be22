"""The forms of charts as Vega-Lite specifications: bars, lines, intervals, funnels, heat maps, maps, and small multiples."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from orchestration.publishing.boundaries import Shapes
from orchestration.publishing.svg import FONT_SIZE, GRID, LABEL

if TYPE_CHECKING:
    from orchestration.publishing.charts import Chart

Spec = dict[str, Any]
Data = list[dict[str, Any]]

#: Colours close to the NHS service manual, ordered so that neighbours differ for colour-blind readers.
PALETTE = ["#005eb8", "#ffb81c", "#007f3b", "#8a1538", "#00a499", "#7c2855", "#41b6e6", "#768692"]
_SHADES = ["#00264d", "#005eb8", "#5b9bd5", "#a5c8ea", "#768692", "#d8dde0"]
#: From little to much, in one hue, light enough at one end and dark enough at the other for a figure to be read on it.
_RAMP = ["#eaf2fa", "#a5c8ea", "#5b9bd5", "#005eb8", "#00264d"]
_LIMIT_DASHES = [[6, 4], [2, 3], [1, 4]]
_MUTED = "#4c6272"
_NOT_DRAWN = "#e8edee"
_FONT = "Arial, Helvetica, sans-serif"
_WIDTH, _HEIGHT, _ROW = 760, 280, 24
#: A figure on a cell is white from this share of the way from the least value to the most.
_DARK_FROM = 0.55
_PERCENT = ".0%"
#: Labels beyond this many letters end in an ellipsis. Vega's own limit is of pixels: it measures again for each letter it drops.
_LONGEST_LABEL = 42
_SHORTENED = f"length(datum.label) > {_LONGEST_LABEL} ? substring(datum.label, 0, {_LONGEST_LABEL - 1}) + '…' : datum.label"


def specification(chart: Chart, data: Data, shapes: Shapes | None) -> Spec:
    """The Vega-Lite specification of a chart over `data`: dicts with the columns that it names and `hidden`."""
    form = _FORMS[chart.kind](chart, data, shapes)
    values = {"values": form.pop("values", data)}
    top: Spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "data": values,
        "background": None,
        "config": {
            "font": _FONT,
            "axis": {
                "labelFontSize": FONT_SIZE,
                "titleFontSize": FONT_SIZE,
                "gridColor": GRID,
                "labelLimit": 0,
                "labelFlush": False,
                "labelExpr": _SHORTENED,
                "titleFontWeight": "normal",
            },
            # categories have a row each, and to find out whether labels overlap Vega measures them all
            "axisBand": {"labelOverlap": False},
            "text": {"fontSize": FONT_SIZE, "color": LABEL},
            "legend": {
                "labelFontSize": FONT_SIZE,
                "titleFontSize": FONT_SIZE,
                "orient": "bottom",
                "columns": 6,
                "labelLimit": 260,
                "titleFontWeight": "normal",
                "titleLimit": 400,
            },
            "header": {"labelFontSize": FONT_SIZE, "labelFontWeight": "bold", "labelAnchor": "start", "labelLimit": 260},
            "view": {"stroke": None},
            "range": {"category": _SHADES if chart.is_ordered else PALETTE},
        },
    }
    if chart.facet is None:
        # The picture, labels included, is as wide as the column that it stands in.
        return top | {"width": _WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}} | form
    by = {"field": chart.facet, "type": "nominal", "title": None, "sort": list(dict.fromkeys(row[chart.facet] for row in data))}
    panel = {"width": _panel_width(chart)} | form
    return top | {"facet": by, "columns": chart.facets_a_row, "spacing": 24, "spec": panel}


def _panel_width(chart: Chart) -> int:
    """What is left of the page for each small chart, its own axis taken off."""
    return max(100, (_WIDTH - 80) // chart.facets_a_row - 60)


def _categories(chart: Chart, data: Data, column: str | None) -> list[Any]:
    return chart.order or list(dict.fromkeys(row[column] for row in data))


def _figures(chart: Chart, data: Data, column: str | None) -> Spec:
    """How an axis writes the figures of a column: percentages, whole numbers, or decimals as short as they can be."""
    if chart.percent:
        return {"format": _PERCENT}
    is_whole = all(isinstance(row[column], int) or row[column] is None for row in data)
    return {"format": ",d", "tickMinStep": 1} if is_whole else {"format": ",.2~f"}


def _colour(chart: Chart) -> Spec:
    """Groups in the order of the query, or from low to high when they have an order of their own."""
    if not chart.colour:
        return {}
    return {"color": {"field": chart.colour, "type": "nominal", "title": None, "sort": "ascending" if chart.is_ordered else None}}


def _bar(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    categories = _categories(chart, data, chart.y)
    rows: Spec = {"field": chart.y, "type": "nominal", "sort": categories, "title": chart.y_title or None}
    length: Spec = {
        "field": chart.x,
        "type": "quantitative",
        "title": chart.x_title or None,
        "axis": _figures(chart, data, chart.x),
    }
    height = chart.height or max(120, _ROW * len(categories))
    if chart.kind == "share_bar":
        length |= {"stack": "normalize", "axis": {"format": _PERCENT}}
    bars = {"mark": {"type": "bar", "color": PALETTE[0]}, "encoding": {"y": rows, "x": length} | _colour(chart)}
    return {"layer": [bars, *_hidden(data, {"y": rows, "x": {"datum": 0}}), *_reference(chart, "x")], "height": height}


def _column(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    """Upright bars over a scale of steps, as a histogram has them; `colour` splits a bar."""
    steps = {
        "field": chart.x,
        "type": "ordinal",
        "sort": None,
        "title": chart.x_title or None,
        "axis": {"labelAngle": 0, "labelOverlap": True},
    }
    length = {
        "field": chart.y,
        "type": "quantitative",
        "title": chart.y_title or None,
        "axis": _figures(chart, data, chart.y),
    }
    bars = {"mark": {"type": "bar", "color": PALETTE[0]}, "encoding": {"x": steps, "y": length} | _colour(chart)}
    hidden = _hidden(data, {"x": steps, "y": {"datum": 0}}, angle=-90)
    return {"layer": [bars, *hidden, *_reference(chart, "y")], "height": chart.height or _HEIGHT}


def _hidden(data: Data, place: Spec, angle: int = 0) -> list[Spec]:
    """The word where a figure is hidden, so that no gap is taken for nought."""
    if not any(row["hidden"] for row in data):
        return []
    mark = {"type": "text", "text": "hidden", "align": "left", "dx": 4, "angle": angle, "baseline": "middle", "color": LABEL}
    return [{"transform": [{"filter": "datum.hidden"}], "mark": mark, "encoding": place}]


def _reference(chart: Chart, axis: str) -> list[Spec]:
    if chart.reference is None:
        return []
    rule = {"type": "rule", "color": _MUTED, "strokeWidth": 1.5}
    return [{"data": {"values": [{}]}, "mark": rule, "encoding": {axis: {"datum": chart.reference}}}]


def _interval(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    """A dot for each category of y and a line from `low` to `high`; the scale need not begin at nought, as no bar does."""
    categories = _categories(chart, data, chart.y)
    rows: Spec = {"y": {"field": chart.y, "type": "nominal", "sort": categories, "title": chart.y_title or None}}
    groups = max(Counter((row.get(chart.facet), row[chart.y]) for row in data).values(), default=1)
    if groups > 1 and chart.colour:
        rows["yOffset"] = {"field": chart.colour, "type": "nominal", "sort": None}
    scale = {"scale": {"zero": False}, "type": "quantitative", "axis": _figures(chart, data, chart.x)}
    line = {"x": {"field": chart.low, "title": chart.x_title or None, **scale}, "x2": {"field": chart.high}, **rows}
    dot = {"x": {"field": chart.x, **scale}, **rows}
    return {
        "layer": [
            *_reference(chart, "x"),
            {"mark": {"type": "rule", "strokeWidth": 3, "color": PALETTE[6]}, "encoding": line | _colour(chart)},
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": PALETTE[0]},
                "encoding": dot | _colour(chart),
            },
        ],
        "height": chart.height or max(120, max(_ROW, 14 * groups) * len(categories)),
    }


def _line(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    """A line over time, or over numbers; with `low` and `high` a band around it."""
    is_number = all(isinstance(row[chart.x], int | float) for row in data)
    along = {"type": "quantitative", "scale": {"zero": False}} if is_number else {"type": "temporal"}
    x = {"field": chart.x, "title": chart.x_title or None, "axis": {"format": ",.2~f" if is_number else "%b %Y"}, **along}
    y = {"type": "quantitative", "title": chart.y_title or None, "axis": _figures(chart, data, chart.y)}
    if chart.low:
        y["scale"] = {"zero": False}
    line = {
        "mark": {"type": "line", "strokeWidth": 3, "color": PALETTE[0]},
        "encoding": {"x": x, "y": {"field": chart.y, **y}} | _colour(chart),
    }
    band = {
        "mark": {"type": "area", "opacity": 0.2, "color": PALETTE[0]},
        "encoding": {"x": x, "y": {"field": chart.low, **y}, "y2": {"field": chart.high}} | _colour(chart),
    }
    layers = [band, line] if chart.low else [line]
    return {"layer": [*layers, *_reference(chart, "y")], "height": chart.height or _HEIGHT}


def _funnel(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    """Points over their size, and limits that narrow as size grows: what chance alone leaves room for.

    Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 2005.
    """
    x = {
        "field": chart.x,
        "type": "quantitative",
        "title": chart.x_title or None,
        "axis": {"format": ",d"},
        "scale": {"zero": False},
    }
    y = {"type": "quantitative", "title": chart.y_title or None, "axis": _figures(chart, data, chart.y), "scale": {"zero": False}}
    limits = [
        {
            "mark": {"type": "line", "strokeWidth": 1.5, "color": _MUTED, "strokeDash": dashes},
            "encoding": {"x": x, "y": {"field": column, **y}},
        }
        for pair, dashes in zip(chart.limits, _LIMIT_DASHES, strict=False)
        for column in pair
    ]
    points = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": PALETTE[0]},
        "encoding": {"x": x, "y": {"field": chart.y, **y}} | _colour(chart),
    }
    layers = [*limits, *_reference(chart, "y"), points]
    if chart.label:
        words = {"type": "text", "align": "left", "dx": 8, "baseline": "middle", "fontSize": FONT_SIZE - 1}
        place = {"x": x, "y": {"field": chart.y, **y}, "text": {"field": chart.label, "type": "nominal"}}
        layers.append({"transform": [{"filter": f"datum[{chart.label!r}] !== null"}], "mark": words, "encoding": place})
    return {"layer": layers, "height": chart.height or 380}


def _heat_map(chart: Chart, data: Data, _shapes: Shapes | None) -> Spec:
    """A cell for each pair of categories, darker for more, with its figure on it: no reader depends on the colour."""
    rows = _categories(chart, data, chart.y)
    columns = list(dict.fromkeys(row[chart.x] for row in data))
    across = {
        "field": chart.x,
        "type": "nominal",
        "sort": columns,
        "title": chart.x_title or None,
        "axis": {"orient": "top", "labelAngle": 0 if len(columns) <= 8 else -40, "domain": False, "ticks": False},
    }
    down = {
        "field": chart.y,
        "type": "nominal",
        "sort": rows,
        "title": chart.y_title or None,
        "axis": {"domain": False, "ticks": False},
    }
    shown = [row[chart.value] for row in data if row[chart.value] is not None]
    least, most = min(shown, default=0), max(shown, default=0)
    figures = _figures(chart, data, chart.value)["format"]
    scale = {"range": _RAMP, "interpolate": "rgb", "zero": False, "domain": [least, most if most > least else least + 1]}
    cells = {
        "transform": [{"filter": "!datum.hidden"}],
        "mark": {"type": "rect", "stroke": "#ffffff", "strokeWidth": 2},
        "encoding": {
            "x": across,
            "y": down,
            "color": {"field": chart.value, "type": "quantitative", "scale": scale, "legend": None},
        },
    }
    dark = f"datum[{chart.value!r}] >= {least + _DARK_FROM * (most - least)}"
    words = {
        "transform": [{"filter": f"datum[{chart.value!r}] !== null"}],
        "mark": {"type": "text", "fontSize": FONT_SIZE if len(columns) <= 10 else FONT_SIZE - 3},
        "encoding": {
            "x": across,
            "y": down,
            "text": {"field": chart.value, "type": "quantitative", "format": figures},
            "color": {"condition": {"test": dark, "value": "#ffffff"}, "value": LABEL},
        },
    }
    hidden = [layer | {"mark": layer["mark"] | {"align": "center", "dx": 0}} for layer in _hidden(data, {"x": across, "y": down})]
    return {"layer": [cells, words, *hidden], "height": chart.height or max(80, 32 * len(rows))}


def _map(chart: Chart, data: Data, shapes: Shapes | None) -> Spec:
    """Areas on a plane, darker for more; an area whose figure is hidden or missing is grey."""
    assert shapes is not None
    by_area = {str(row[chart.area]): row for row in data}
    values = [
        {**shape, "properties": by_area[shape["properties"]["area"]]}
        for shape in shapes.features
        if shape["properties"]["area"] in by_area
    ]
    field = f"properties[{chart.value}]"
    height = chart.height or min(720, max(200, round(_WIDTH / shapes.aspect)))
    # The file is on a plane already: Vega-Lite must neither project it nor mind which way its outlines run.
    plane = {"projection": {"type": "identity", "reflectY": True}}
    outline = {"type": "geoshape", "stroke": "#ffffff", "strokeWidth": 0.5}
    legend = {"title": chart.x_title or None, "format": _figures(chart, data, chart.value)["format"], "gradientLength": 260}
    colour = {"field": field, "type": "quantitative", "scale": {"range": _RAMP, "zero": False}, "legend": legend}
    empty = f"datum.properties.hidden || datum.properties[{chart.value!r}] === null"
    return {
        "values": values,
        "layer": [
            plane | {"mark": outline | {"fill": _NOT_DRAWN}},
            plane | {"transform": [{"filter": f"!({empty})"}], "mark": outline, "encoding": {"color": colour}},
        ],
        "height": height,
    }


_FORMS = {
    "bar": _bar,
    "stacked_bar": _bar,
    "share_bar": _bar,
    "column": _column,
    "interval": _interval,
    "line": _line,
    "funnel": _funnel,
    "heat_map": _heat_map,
    "map": _map,
}
