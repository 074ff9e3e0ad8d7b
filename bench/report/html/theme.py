"""Colours and type of a report, for light and dark pages and for single pictures.

Charts name no colour: they use scales and styles, and `chart_config` gives these their colours. On a page the
colours are variables of its style sheet, so that light, dark and print differ in nothing but these variables.
Series, parts of a whole and verdicts have no colour in common: a colour has one meaning on a page.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Palette: TypeAlias = Mapping[str, str]

_SERIES: Final = 10
_PARTS: Final = 9
LIGHT: Final[Palette] = {
    "paper": "#ffffff", "panel": "#f5f7f9", "ink": "#1a1f26", "muted": "#55606c", "grid": "#e1e6eb",
    "line": "#c3ccd5", "link": "#0b5cad",
    "good": "#1a7f4b", "bad": "#b3261e", "warn": "#8a5a00", "unsure": "#6b7680", "equal": "#1d4f91",
    "series-1": "#1f6fb4", "series-2": "#c05a00", "series-3": "#23834a", "series-4": "#7a4fb8",
    "series-5": "#c2303f", "series-6": "#0b7f86", "series-7": "#8a5a2b", "series-8": "#b93f8a",
    "series-9": "#6b7600", "series-10": "#54616f",
    "part-1": "#86909b", "part-2": "#9b74d9", "part-3": "#df63a4", "part-4": "#ac8211", "part-5": "#17a478",
    "part-6": "#0a8fd1", "part-7": "#f05f5a", "part-8": "#c77434", "part-9": "#179fa5",
}  # fmt: skip
DARK: Final[Palette] = {
    "paper": "#14171c", "panel": "#1d2229", "ink": "#e8ecf1", "muted": "#a7b1bd", "grid": "#2b323b",
    "line": "#465160", "link": "#7db8ff",
    "good": "#5fcf93", "bad": "#ff8f86", "warn": "#e9b949", "unsure": "#9aa6b2", "equal": "#9cc4ff",
    "series-1": "#66b0f0", "series-2": "#f0a05a", "series-3": "#72cd8d", "series-4": "#b99cf0",
    "series-5": "#f4858f", "series-6": "#54c9cf", "series-7": "#cfa274", "series-8": "#ec93c8",
    "series-9": "#c3cb55", "series-10": "#a5b1bf",
    "part-1": "#69737d", "part-2": "#926bcf", "part-3": "#bc4385", "part-4": "#a1790c", "part-5": "#0f825e",
    "part-6": "#0186c5", "part-7": "#cc3d3d", "part-8": "#bd6b2a", "part-9": "#0a7e83",
}  # fmt: skip
PAGE_FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
PICTURE_FONT: Final = "Helvetica, Arial, Liberation Sans, sans-serif"
VERDICT_ORDER: Final = ("faster", "equivalent", "inconclusive", "slower")
"""The order of the verdicts in their scale, whose colours are the range *diverging*."""


def css_variables(palette: Palette) -> str:
    """Write the declarations of a palette for a style sheet."""
    return " ".join(f"--{name}: {value};" for name, value in palette.items())


def page_config() -> dict[str, Any]:
    """Return the config of charts on a page, with colours as variables of its style sheet."""
    return {**_config(lambda name: f"var(--{name})", PAGE_FONT)}


def picture_config(palette: Palette = LIGHT) -> dict[str, Any]:
    """Return the config of a single picture."""
    return _config(palette.__getitem__, PICTURE_FONT)


def series_colour(place: int) -> str:
    """Return the name of the colour of a series; colours repeat if there are many."""
    return f"series-{place % _SERIES + 1}"


def part_colour(place: int) -> str:
    """Return the name of the colour of a part of a whole; colours repeat if there are many."""
    return f"part-{place % _PARTS + 1}"


def verdict_colour(verdict: str) -> str:
    """Return the name of the colour of a verdict."""
    return {"faster": "good", "equivalent": "equal", "inconclusive": "unsure", "slower": "bad"}[verdict]


def _config(colour: Callable[[str], str], font: str) -> dict[str, Any]:
    ink, muted = colour("ink"), colour("muted")
    return {
        "font": font,
        "background": colour("paper"),
        "padding": 4,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink, "titleColor": muted, "gridColor": colour("grid"), "domain": False,
            "tickColor": colour("line"), "labelFontSize": 12, "titleFontSize": 12,
            "titleFontWeight": "normal",
            "labelPadding": 6, "titlePadding": 10, "labelFont": font, "titleFont": font,
        },
        "axisX": {
            "tickCount": 6, "labelFlush": True, "labelOverlap": "greedy", "labelSeparation": 10,
            "titleAnchor": "start", "ticks": False,
        },
        "axisY": {"ticks": False, "grid": False, "labelLimit": 210, "labelLineHeight": 15},
        "legend": {
            "labelColor": ink, "titleColor": muted, "orient": "top", "columns": 4, "symbolType": "circle",
            "symbolSize": 90, "symbolOpacity": 1, "symbolStrokeWidth": 2, "labelFontSize": 12,
            "labelLimit": 260, "titleFontSize": 12,
        },
        "title": {
            "color": ink, "subtitleColor": muted, "fontSize": 16, "subtitleFontSize": 12, "anchor": "start",
            "frame": "group", "font": font, "subtitleFont": font, "offset": 14, "subtitlePadding": 6,
        },
        "range": {
            "category": [colour(series_colour(place)) for place in range(_SERIES)],
            "ordinal": [colour(part_colour(place)) for place in range(_PARTS)],
            "diverging": [colour(verdict_colour(each)) for each in VERDICT_ORDER],
        },
        "text": {"color": ink, "fontSize": 12, "font": font},
        "style": {
            "ideal": {"color": ink, "stroke": ink, "fill": ink},
            "ideal-line": {"color": ink, "stroke": ink},
            "quiet": {"color": muted, "fill": muted},
            "quiet-line": {"color": muted, "stroke": muted},
            "margin-band": {"fill": colour("grid"), "color": colour("grid")},
            "paper-point": {"fill": colour("paper")},
            "discarded": {"stroke": colour("bad"), "color": colour("bad")},
        },
    }  # fmt: skip
