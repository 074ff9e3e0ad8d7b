"""Draw a single chart as SVG or PNG."""

import re
from typing import Any, Final, Literal

import vl_convert

from bench.report.html.drawing import Drawing, Key
from bench.report.html.legend import picture_legend
from bench.report.html.registry import ChartKind
from bench.report.html.theme import LIGHT, picture_config

_WIDTH: Final = 620
"""Pixels of the plot; labels come in addition."""
_MARGIN: Final = 8
"""Pixels around the legend."""
_SCALE: Final = 2.0
"""Pixels of a PNG by those of its SVG: sharp on dense screens and projectors."""
_OPENING: Final = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)" viewBox="0 0 \1 \2"[^>]*>')


def draw_picture(kind: ChartKind, drawing: Drawing, facts: str, form: Literal["svg", "png"]) -> str | bytes:
    """Return a chart as a picture with its title, the facts of its run, its legend and its own background."""
    spec: dict[str, Any] = drawing.spec()
    title = f"{kind.title}: {drawing.title}" if drawing.title else kind.title
    spec |= {"width": _WIDTH, "config": picture_config(), "title": {"text": title, "subtitle": facts}}
    svg = _add_legend(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), drawing.legend)
    return svg if form == "svg" else vl_convert.svg_to_png(svg, scale=_SCALE)


def _add_legend(svg: str, keys: tuple[Key, ...]) -> str:
    """Return a picture that is as much taller as the legend below its chart takes."""
    opening = _OPENING.match(svg)
    if opening is None:
        raise ValueError(f"the chart is no SVG of a known size: {svg[:200]}")
    width, height = map(float, opening.groups())
    legend = picture_legend(keys, LIGHT, width - 2 * _MARGIN)
    whole = f"{height + legend.height + 2 * _MARGIN:g}"
    begin = (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width:g}" height="{whole}" '
        f'viewBox="0 0 {width:g} {whole}">'
        f'<rect width="{width:g}" height="{whole}" fill="{LIGHT["paper"]}"/>'
    )
    content = svg[opening.end() :].removesuffix("</svg>")
    return f'{begin}{content}<g transform="translate({_MARGIN},{height + _MARGIN:g})">{legend.svg}</g></svg>'
