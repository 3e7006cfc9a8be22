"""What pictures drawn without Vega share: text in the colour and size of the page."""

from __future__ import annotations

from html import escape

LABEL = "#212b32"
GRID = "#d8dde0"
FONT_SIZE = 14


def text(x: float, y: float, words: str, anchor: str) -> str:
    """A `<text>` element; `anchor` is start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{LABEL}">{escape(words)}</text>'


def picture(width: float, height: float, parts: list[str]) -> str:
    """An `<svg>` element of the parts."""
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" font-size="{FONT_SIZE}">{"".join(parts)}</svg>'
