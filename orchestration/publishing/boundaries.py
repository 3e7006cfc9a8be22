"""Outlines of areas for maps, from a GeoJSON file that the site supplies: none is shipped, and none is fetched."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

#: A map is drawn this many pixels wide at most, so that a finer outline would only make the page larger.
_PIXELS = 900
#: Coordinates beyond these are metres of a national grid, not degrees.
_MOST_DEGREES = 360

Ring = list[tuple[float, float]]


class BoundaryError(Exception):
    """A boundary file that cannot be used; the message says what is wrong with it."""


@dataclass(frozen=True)
class Shapes:
    """GeoJSON features on a plane (x right, y up), each with `properties.area`, and their width over their height."""

    features: list[dict[str, Any]]
    aspect: float


def find_shapes(path: Path, areas: Collection[str]) -> Shapes:
    """The outlines of `areas` in a GeoJSON file, as fine as a screen shows them.

    The property that holds an area's code is the one that matches most of `areas`. Degrees are drawn as distances at the middle
    latitude, metres as they are. Raises `BoundaryError` when the file is no FeatureCollection of polygons, or has no such area.
    """
    features = _read(path, path.stat().st_mtime_ns if path.exists() else 0)
    wanted = set(areas)
    names = {name for feature in features for name in feature["properties"]}
    matches = {name: sum(feature["properties"].get(name) in wanted for feature in features) for name in sorted(names)}
    best = max(matches, key=matches.__getitem__, default=None)
    if best is None or not matches[best]:
        raise BoundaryError(f"{path} has no outline of any of the {len(wanted)} areas, such as {min(wanted, default='none')}")
    return _on_a_plane({f["properties"][best]: f["geometry"] for f in features if f["properties"].get(best) in wanted})


@lru_cache(maxsize=2)
def _read(path: Path, _modified: int) -> list[dict[str, Any]]:
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        usable = [
            f for f in features if f["geometry"] and f["geometry"]["type"] in ("Polygon", "MultiPolygon") and f["properties"]
        ]
    except OSError as error:
        raise BoundaryError(f"The boundary file cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BoundaryError(f"{path} is no GeoJSON FeatureCollection: {error!r}") from error
    if not usable:
        raise BoundaryError(f"{path} holds no polygon with properties")
    return usable


def _on_a_plane(geometries: Mapping[str, dict[str, Any]]) -> Shapes:
    points = [point for geometry in geometries.values() for ring in _rings(geometry) for point in ring]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    is_degrees = max(map(abs, xs + ys)) <= _MOST_DEGREES
    narrowing = math.cos(math.radians((min(ys) + max(ys)) / 2)) if is_degrees else 1.0
    width, height = (max(xs) - min(xs)) * narrowing or 1.0, max(ys) - min(ys) or 1.0
    pixel = max(width, height) / _PIXELS

    def flattened(ring: Ring) -> list[list[int]]:
        steps = [[round((x - min_x) * narrowing / pixel), round((y - min_y) / pixel)] for x, y, *_ in ring]
        return [step for i, step in enumerate(steps) if i == 0 or step != steps[i - 1]]

    min_x, min_y = min(xs), min(ys)
    features = []
    for area, geometry in geometries.items():
        polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        outlines = [[flattened(ring) for ring in polygon] for polygon in polygons]
        # A ring of fewer than four points has no inside; with its outline go the holes of a polygon.
        kept = [[outline, *(h for h in holes if len(h) > 3)] for outline, *holes in outlines if len(outline) > 3]
        shape = {"type": "MultiPolygon", "coordinates": kept}
        features.append({"type": "Feature", "properties": {"area": area}, "geometry": shape})
    return Shapes(features, width / height)


def _rings(geometry: Mapping[str, Any]) -> Iterator[Ring]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        yield from polygon
