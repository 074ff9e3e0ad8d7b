"""Draw the symbols of legends for pages, and whole legends below single pictures."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from rich.cells import cell_len

from bench.report.html.drawing import DASHES, Key, Symbol
from bench.report.html.theme import PICTURE_FONT, Palette

_WIDTH, _HEIGHT = 22, 12
"""Pixels of a symbol."""
_SIGN_WIDTH: Final = 6.5
"""Pixels of a sign of a text of 12 pixels, rather more than on average; wide signs take two."""
_GAP, _SPACE, _LINE = 7, 14, 21
"""Pixels from a symbol to its text, from there to the next entry, and from line to line."""


class Legend(NamedTuple):
    """A legend as SVG, and its height in pixels."""

    svg: str
    height: int


_SHAPES: Final[Mapping[Symbol, str]] = {
    "dot": '<circle cx="11" cy="6" r="5" fill="{colour}"/>',
    "ring": '<circle cx="11" cy="6" r="4.6" fill="none" stroke="{colour}" stroke-width="2"/>',
    "diamond": '<path d="M11 0 17 6 11 12 5 6Z" fill="{colour}"/>',
    "square": '<rect x="6" y="1" width="10" height="10" fill="{colour}"/>',
    "triangle": '<path d="M11 0 17 11 5 11Z" fill="{colour}"/>',
    "cross": '<path d="M6 1 16 11M16 1 6 11" stroke="{colour}" stroke-width="2.4"/>',
    "tick": '<path d="M11 0V12" stroke="{colour}" stroke-width="2.4"/>',
    "thin-tick": '<path d="M11 0V12" stroke="{colour}" stroke-width="1.2" opacity="0.6"/>',
    "interval": '<path d="M1 6H21" stroke="{colour}" stroke-width="4" opacity="0.6"/>',
    "bar": '<rect x="1" y="1" width="20" height="10" rx="1" fill="{colour}"/>',
    "faint-bar": '<rect x="1" y="1" width="20" height="10" rx="1" fill="{colour}" opacity="0.5"/>',
    "band": '<rect x="1" y="1" width="20" height="10" rx="1" fill="{colour}"/>',
}
_LINE_SHAPE: Final = '<path d="M0 6H22" stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dashes}"/>'


def draw_symbol(key: Key, colour: str) -> str:
    """Return the shapes of a symbol in SVG, in a box of 22 by 12 pixels."""
    if key.symbol in _SHAPES:
        return _SHAPES[key.symbol].format(colour=colour)
    return _LINE_SHAPE.format(colour=colour, dashes=" ".join(map(str, DASHES[key.symbol])))


def page_symbol(key: Key) -> str:
    """Return a symbol for a page, in a colour of its style sheet."""
    shapes = draw_symbol(key, f"var(--{key.colour})")
    return (
        f'<svg class="key" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">'
        f"{shapes}</svg>"
    )


def picture_legend(keys: Sequence[Key], palette: Palette, width: float) -> Legend:
    """Return a legend whose entries take as many lines as they need."""
    entries: list[str] = []
    x, y = 0.0, 0
    for key in keys:
        taken = _WIDTH + _GAP + _SIGN_WIDTH * cell_len(key.text)
        if x > 0 and x + taken > width:
            x, y = 0.0, y + _LINE
        text = f'<text x="{_WIDTH + _GAP}" y="10">{escape(key.text)}</text>'
        entries.append(
            f'<g transform="translate({x:.0f},{y})">{draw_symbol(key, palette[key.colour])}{text}</g>'
        )
        x += taken + _SPACE
    style = f"font-family='{PICTURE_FONT}' font-size='12' fill='{palette['ink']}'"
    return Legend(f"<g {style}>{''.join(entries)}</g>", y + _LINE if keys else 0)
