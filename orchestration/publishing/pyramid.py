"""Population pyramids as SVG.

Drawn here and not by Vega-Lite, because most pages of a site have one: Vega measures every label, which takes 60 ms a picture.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from orchestration.publishing.svg import GRID, picture, text

_WIDTH, _GUTTER, _ROW, _BAR = 680, 64, 20, 17
_BELOW = 76
_MOST_TICKS = 4


def draw_pyramid(
    categories: Sequence[str],
    groups: Sequence[str],
    counts: Mapping[tuple[str, str], float],
    colours: Sequence[str],
    title: str,
    hidden: Collection[tuple[str, str]] = (),
) -> str:
    """Two groups back to back as one `<svg>` element: the first of `groups` to the left, `categories` from the bottom up.

    `counts` maps (category, group) to a count; one that is missing is nought. Those in `hidden` say so in place of a bar.
    `title` names the axis.
    """
    half = (_WIDTH - _GUTTER) / 2
    middle, bottom = _GUTTER + half, _ROW * len(categories)
    step = tick_step(max(counts.values(), default=0))
    most = step * max(1, -(-max(counts.values(), default=0) // step))
    scale = (half - 24) / most
    parts = []
    for tick in range(0, int(most) + 1, step):
        for x in {middle - tick * scale, middle + tick * scale}:
            parts.append(f'<path d="M{x:.1f},0V{bottom}" stroke="{GRID}"/>')
            parts.append(text(x, bottom + 18, f"{tick:,}", "middle"))
    for place, category in enumerate(reversed(categories)):
        top = place * _ROW
        parts.append(text(_GUTTER - 8, top + 14, category, "end"))
        for side, (group, colour) in enumerate(zip(groups, colours, strict=True)):
            if (category, group) in hidden:
                parts.append(text(middle + (6 if side else -6), top + 14, "hidden", "start" if side else "end"))
                continue
            width = counts.get((category, group), 0) * scale
            x = middle if side else middle - width
            parts.append(f'<rect x="{x:.1f}" y="{top + 1}" width="{width:.1f}" height="{_BAR}" fill="{colour}"/>')
    parts.append(text(middle, bottom + 40, title, "middle"))
    for side, (group, colour) in enumerate(zip(groups, colours, strict=True)):
        x = _GUTTER + 110 * side
        parts.append(f'<rect x="{x}" y="{bottom + 56}" width="12" height="12" fill="{colour}"/>')
        parts.append(text(x + 18, bottom + 67, group, "start"))
    return picture(_WIDTH, bottom + _BELOW, parts)


def tick_step(largest: float) -> int:
    """The distance of axis ticks: 1, 2 or 5 times a power of ten, at most four of them up to `largest`."""
    step = 1
    while step * _MOST_TICKS < largest:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return step
