"""Write what is printed as an SVG picture of a terminal. Used by `show --svg`."""

import io
from typing import Final

from rich.console import Console

from bench.model.text import printable

_WIDTH_OF_SIGN: Final = 0.602
"""Width of a sign by its height: that of Menlo, DejaVu Sans Mono and Liberation Mono, within 0.3 %."""
_TEMPLATE: Final = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font: {char_height}px ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", "Liberation Mono", monospace;
}}
.{unique_id}-title {{ font: 16px system-ui, sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own template without its web font: a picture must not load anything."""


def recording_console(width: int) -> Console:
    """Return a console that keeps what is printed on it, and shows nothing."""
    return Console(file=io.StringIO(), record=True, width=width, highlight=False, markup=False, emoji=False)


def console_to_svg(console: Console, title: str) -> str:
    """Return the picture of what a console has recorded, as wide as the console.

    Args:
        console: a recording one.
        title: written above the text.
    """
    svg = console.export_svg(title=printable(title), code_format=_TEMPLATE, font_aspect_ratio=_WIDTH_OF_SIGN)
    # Signs that come from another font are as wide as the others, and bars have no gaps.
    return svg.replace('textLength="', 'lengthAdjust="spacingAndGlyphs" textLength="')
