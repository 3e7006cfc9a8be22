"""Flows between two sets of groups as SVG: who was where, and where they are now. Vega-Lite has no such form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestration.publishing.svg import picture, text

#: Room for the flows, and the width of a group's bar (pixels).
_FLOWS, _NODE = 300, 14
#: Width of a letter of a label, on average; labels are not measured, so a little too wide.
_LETTER = 8.5
_HEIGHT, _GAP = 420, 10
#: A group is drawn at least so high (pixels) that its label has room.
_LEAST = 12


def draw_sankey(
    left: Sequence[str], right: Sequence[str], flows: Mapping[tuple[str, str], float], colours: Mapping[str, str]
) -> str:
    """Flows from the groups of `left` to those of `right`, top to bottom, as one `<svg>` element.

    `flows` maps (from, to) to a size above nought; a band is as high as its flow and has the colour of the group it comes from.
    """
    sent = {group: sum(n for (source, _), n in flows.items() if source == group) for group in left}
    received = {group: sum(n for (_, target), n in flows.items() if target == group) for group in right}
    scale = min(_scale(sent), _scale(received))
    left_tops, left_bottom = _tops(sent, scale)
    right_tops, right_bottom = _tops(received, scale)
    side = 8 + _LETTER * max((len(_label(group, size)) for sizes in (sent, received) for group, size in sizes.items()), default=0)
    width = 2 * (side + _NODE) + _FLOWS
    from_x, to_x = side + _NODE, width - side - _NODE
    middle = (from_x + to_x) / 2
    parts = []
    start, end = dict(left_tops), dict(right_tops)
    for source in left:
        for target in right:
            size = flows.get((source, target), 0) * scale
            if not size:
                continue
            top, other = start[source], end[target]
            start[source] += size
            end[target] += size
            parts.append(
                f'<path d="M{from_x},{top:.1f}C{middle:.0f},{top:.1f} {middle:.0f},{other:.1f} {to_x},{other:.1f}'
                f'V{other + size:.1f}C{middle:.0f},{other + size:.1f} {middle:.0f},{top + size:.1f} {from_x},{top + size:.1f}Z" '
                f'fill="{colours[source]}" fill-opacity="0.45"/>'
            )
    parts += _nodes(sent, left_tops, scale, colours, side, side - 8, "end")
    parts += _nodes(received, right_tops, scale, colours, to_x, width - side + 8, "start")
    return picture(width, max(left_bottom, right_bottom), parts)


def _label(group: str, size: float) -> str:
    return f"{group} {size:,.0f}"


def _scale(sizes: Mapping[str, float]) -> float:
    return (_HEIGHT - _GAP * len(sizes)) / (sum(sizes.values()) or 1)


def _tops(sizes: Mapping[str, float], scale: float) -> tuple[dict[str, float], float]:
    """Where each group begins, and where the last one ends."""
    tops, y = {}, 4.0
    for group, size in sizes.items():
        tops[group] = y
        y += max(size * scale, _LEAST) + _GAP
    return tops, y


def _nodes(
    sizes: Mapping[str, float],
    tops: Mapping[str, float],
    scale: float,
    colours: Mapping[str, str],
    x: float,
    label_x: float,
    anchor: str,
) -> list[str]:
    parts = []
    for group, size in sizes.items():
        height = max(size * scale, 1)
        top = tops[group]
        parts.append(f'<rect x="{x}" y="{top:.1f}" width="{_NODE}" height="{height:.1f}" fill="{colours[group]}"/>')
        parts.append(text(label_x, top + max(height, _LEAST) / 2 + 5, _label(group, size), anchor))
    return parts
