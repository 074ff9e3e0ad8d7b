"""Draw a single chart as SVG or PNG."""

from typing import Any, Final, Literal

import vl_convert

from bench.report.html.drawing import Drawing
from bench.report.html.registry import ChartKind
from bench.report.html.theme import picture_config

_WIDTH: Final = 620
"""Pixels of the plot; labels come in addition."""
_SCALE: Final = 2.0
"""Pixels of a PNG by those of its SVG: sharp on dense screens and projectors."""


def draw_picture(kind: ChartKind, drawing: Drawing, facts: str, form: Literal["svg", "png"]) -> str | bytes:
    """Return a chart as a picture with its title, the facts of its run, its legend and its own background."""
    spec: dict[str, Any] = drawing.chart.to_dict(validate=False)
    title = f"{kind.title}: {drawing.title}" if drawing.title else kind.title
    spec |= {"width": _WIDTH, "config": picture_config(), "title": {"text": title, "subtitle": facts}}
    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return svg if form == "svg" else vl_convert.svg_to_png(svg, scale=_SCALE)
