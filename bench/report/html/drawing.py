"""A chart with all that is written around it, and the parts that several charts share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import altair as alt

from bench.report.html.subject import Group, ShownCase, Subject
from bench.report.html.theme import part_colour, series_colour

DataRow: TypeAlias = dict[str, Any]
"""A row of the data of a chart: strings and numbers by name."""
Chart: TypeAlias = alt.Chart | alt.LayerChart
Symbol: TypeAlias = Literal[
    "dot", "diamond", "square", "triangle", "cross", "ring", "bar", "faint-bar", "band", "tick", "thin-tick",
    "interval", "line", "dash", "dots", "dash-dot", "long-dash", "gap-dash",
]  # fmt: skip
"""The symbol of an entry of the legend; the style sheet of the page draws each."""

ROW_HEIGHT: Final = 42
"""Pixels of a case in charts with a row for each."""
SIGNED_SHARE: Final = "datum.value == 0 ? '0%' : format(datum.value, '+.0%')"
"""Labels of an axis of changes, as a Vega expression."""
_SIDE_HEIGHT: Final = 18
_SIGN_WIDTH: Final = 6.8
"""Pixels of a sign of the texts beside marks, on average."""
_CHART_HEIGHT: Final = 340
_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend: a symbol, its colour by its name in the theme, and its meaning."""

    symbol: Symbol
    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart, ready for a page or a picture.

    Attributes:
        title: tells it from others of its kind; the profile where there are several, else empty.
        summary: its content in one sentence, for readers who cannot see it.
        legend: what its symbols and colours mean.
        has_log: whether its horizontal axis can be made logarithmic.
        remark: one more sentence, about data that are not shown; empty for none.
    """

    chart: Chart
    title: str
    summary: str
    legend: tuple[Key, ...] = ()
    has_log: bool = False
    remark: str = ""

    def spec(self) -> dict[str, Any]:
        """Return the specification without Vega's legends, as pages and pictures have `legend`."""
        spec: dict[str, Any] = self.chart.to_dict(validate=False)
        for layer in spec["layer"]:
            for channel in layer["encoding"].values():
                if isinstance(channel, dict) and "legend" in channel:
                    channel["legend"] = None
        return spec


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence on a page in place of a chart that cannot be drawn, although a reader would look for it."""

    text: str


def data(rows: Iterable[DataRow]) -> alt.InlineData:
    """Return rows as the data of a chart, with as many digits as can be seen."""
    return alt.InlineData(
        values=[
            {
                name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
                for name, value in row.items()
            }
            for row in rows
        ]
    )


def layers(*parts: alt.Chart, height: int | None = None) -> alt.LayerChart:
    """Lay charts over one another, as wide as their place; those without data would spoil its scales."""
    filled = [part for part in parts if part.data.values]
    return alt.LayerChart(layer=filled, width="container", height=height or _CHART_HEIGHT)


def rows_height(group: Group) -> int:
    """Return the height of a chart with a row for each label, and for each side of it."""
    return (ROW_HEIGHT + _SIDE_HEIGHT * (group.sides - 1)) * max(1, len(group.labels))


def beside(subject: Subject, text: str, side: str) -> str:
    """Return the text beside a mark, with the side if there are several."""
    return text if len(subject.sides) == 1 else f"{text} · {subject.short_sides[side]}"


def room_for(texts: Iterable[str]) -> alt.ExprRef:
    """Return the end of an axis that leaves room for the longest of these texts to the right of the marks."""
    longest = max(map(len, texts), default=0)
    return alt.ExprRef(f"max(width - {round(_SIGN_WIDTH * longest) + 14}, width / 4)")


def case_axis(labels: Sequence[str]) -> alt.Y:
    """Return the axis of cases, with the label of each in two lines."""
    return alt.Y(
        "label:N",
        sort=None,
        scale=alt.Scale(domain=list(labels)),
        title=None,
        axis=alt.Axis(labelExpr="split(datum.label, '\\n')", labelOffset=-7, domain=False, ticks=False),
    )


def series_scale(subject: Subject) -> alt.Scale:
    """Return the scale of colours that all charts share; the theme has its colours."""
    return alt.Scale(domain=list(subject.series))


def colour_series(subject: Subject) -> alt.Color:
    """Colour marks by their series."""
    return alt.Color("series:N", scale=series_scale(subject), legend=_series_legend(subject))


def _series_legend(subject: Subject) -> alt.Legend | None:
    return alt.Legend(title=None, columns=2) if len(subject.series) > 1 else None


def series_keys(subject: Subject, symbol: Symbol, cases: Iterable[ShownCase]) -> tuple[Key, ...]:
    """Return the legend of the series that these cases have, in the order of the cases."""
    shown = dict.fromkeys(each.series for each in cases)
    return tuple(Key(symbol, series_colour(subject.series.index(name)), name) for name in shown)


def part_scale(names: Sequence[str]) -> alt.Scale:
    """Return the scale of colours of the parts of a whole; the theme has its colours."""
    return alt.Scale(domain=list(names), range="ordinal")


def part_keys(names: Sequence[str]) -> tuple[Key, ...]:
    """Return the legend of parts."""
    return tuple(Key("bar", part_colour(place), name) for place, name in enumerate(names))


def dots_with_intervals(  # noqa: PLR0913  what a chart of dots consists of
    rows: Sequence[DataRow],
    field: str,
    x: Callable[[str], alt.X],
    colour: alt.Color,
    tooltip: Mapping[str, str],
    *,
    domain: tuple[float, float],
) -> tuple[alt.Chart, ...]:
    """Draw a dot for each row over the interval from ``low`` to ``high``, if it has one, below a text.

    Args:
        rows: they have the fields ``label`` and ``text``, too.
        field: the value of a dot.
        x: returns the axis of a field.
        colour: of dots and intervals.
        tooltip: the title of each line by its field.
        domain: the ends of the axis; the text of a dot that is near to one of them extends away from it.
    """
    middle, near = sum(domain) / 2, (domain[1] - domain[0]) / 8
    offset = f"(datum.{field} - {middle})"
    away = alt.expr(f"{offset} > {near} ? 'right' : {offset} < -{near} ? 'left' : 'center'")
    y = case_axis(list(dict.fromkeys(row["label"] for row in rows)))
    bars = (
        alt.Chart(data(row for row in rows if row["low"] is not None), name="intervals")
        .mark_rule(strokeWidth=4, opacity=0.6, aria=False)
        .encode(x=x("low"), x2="high:Q", y=y, color=colour)
    )
    lines = [alt.Tooltip(f"{name}:N", title=title) for name, title in tooltip.items()]
    points = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=120, opacity=1)
        .encode(x=x(field), y=y, color=colour, tooltip=lines)
    )
    texts = (
        alt.Chart(data(rows), name="texts")
        .mark_text(dy=-14, align=away, aria=False)
        .encode(x=x(field), y=y, text="text:N")
    )
    return bars, points, texts


def place_of(shown: ShownCase) -> DataRow:
    """Return the fields that place a row about a case; there is a side where there are several."""
    return {"label": shown.label, **({"side": shown.side} if shown.side else {})}


def identity(shown: ShownCase) -> DataRow:
    """Return the fields that place and colour a row about a case."""
    return {**place_of(shown), "series": shown.series}


def case_tooltip(subject: Subject) -> list[alt.Tooltip]:
    """Return the fields of a tooltip that name a case, and its side if there are several."""
    side = [alt.Tooltip("side:N", title="of")] if len(subject.sides) > 1 else []
    return [alt.Tooltip("label:N", title="case"), *side]


SHAPES: Final[Mapping[Symbol, str]] = {
    "dot": "circle", "diamond": "diamond", "square": "square", "triangle": "triangle-up", "cross": "cross"
}  # fmt: skip
"""The shapes of points by their symbols in the legend."""
DASHES: Final[Mapping[Symbol, tuple[int, ...]]] = {
    "line": (1, 0), "dash": (6, 3), "dots": (2, 2), "dash-dot": (9, 3, 2, 3), "long-dash": (12, 4),
    "gap-dash": (4, 7),
}  # fmt: skip
"""The dashes of lines by their symbols in the legend."""


def side_shape(subject: Subject) -> alt.Shape | alt.utils.schemapi.UndefinedType:
    """Tell sides apart by the shapes of points, if there are several."""
    if len(subject.sides) == 1:
        return alt.Undefined
    names = list(subject.sides)
    shapes = [*SHAPES.values()] * (len(names) // len(SHAPES) + 1)
    return alt.Shape(
        "side:N", scale=alt.Scale(domain=names, range=shapes[: len(names)]), legend=alt.Legend(title=None)
    )


def side_keys(subject: Subject) -> tuple[Key, ...]:
    """Return the legend of the shapes of sides; empty if there is only one."""
    if len(subject.sides) == 1:
        return ()
    symbols = [*SHAPES] * (len(subject.sides) // len(SHAPES) + 1)
    return tuple(
        Key(symbol, "muted", side_name(subject, side))
        for symbol, side in zip(symbols, subject.sides, strict=False)
    )


def side_name(subject: Subject, side: str) -> str:
    """Return the name of a side in a legend, after its role if that is written beside marks."""
    short = subject.short_sides[side]
    return side if short == side else f"{short}: {side}"


def spread_sides(subject: Subject) -> alt.YOffset | alt.utils.schemapi.UndefinedType:
    """Set the sides of a case below one another, if there are several."""
    if len(subject.sides) == 1:
        return alt.Undefined
    return alt.YOffset("side:N", sort=None, scale=alt.Scale(domain=list(subject.sides)))
