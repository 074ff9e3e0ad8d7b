"""Elapsed time by number of workers: knees, crossovers, and the planned ideal."""

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from statistics import fmean, median
from typing import Any, Final, TypeAlias

import altair as alt

from bench.report.case_label import describe_series
from bench.report.html.drawing import (
    DASHES,
    DataRow,
    Drawing,
    Key,
    Note,
    Symbol,
    colour_series,
    data,
    layers,
    series_keys,
    side_name,
)
from bench.report.html.subject import Group, ShownCase, Subject
from bench.report.number_format import TimeUnit, format_duration, format_interval, format_ratio
from bench.stats.scaling import Scaling, Series, summarize_scaling

_HEIGHT: Final = 400
_PLAIN: Final = "format(datum.value, ',~r')"
"""Writes every label: by itself, a logarithmic axis leaves out some."""
_AxisOf: TypeAlias = Callable[[str], Any]
"""Returns the axis of a field."""


Sides: TypeAlias = Mapping[str, Scaling]
"""The scaling under equal conditions, by the run that it belongs to; an empty name if there is only one."""


def point_rows(sides: Sides, group: Group) -> list[DataRow]:
    """Return a row for each number of workers of each series; ideals are of their cases."""
    ideals_s = _ideals_s(group)
    per = group.unit.per_second
    rows: list[DataRow] = []
    for side, series in _series_of(sides):
        name = describe_series(series.key)
        for point in series.points:
            elapsed, ideal_s = point.elapsed, ideals_s[side, name, point.workers]
            rows.append(
                {
                    "series": name,
                    **_side_field(side),
                    "workers": point.workers,
                    "median": elapsed.estimate * per,
                    "low": None if elapsed.low is None else elapsed.low * per,
                    "high": None if elapsed.high is None else elapsed.high * per,
                    "ideal": None if ideal_s is None else ideal_s * per,
                    "text": format_duration(elapsed.estimate),
                    "interval": format_interval(elapsed, format_duration, " to "),
                    "gain": "–" if point.gain is None else f"{format_ratio(point.gain.ratio.estimate)} ×",
                }
            )
    return rows


def knee_rows(sides: Sides, group: Group) -> list[DataRow]:
    """Return a row for each series with a knee that its blocks show."""
    return [
        {
            "series": describe_series(series.key),
            **_side_field(side),
            "workers": series.knee.point.workers,
            "median": series.knee.point.elapsed.estimate * group.unit.per_second,
            "text": f"knee: {series.knee.point.workers}",
        }
        for side, series in _series_of(sides)
        if series.knee is not None and _is_shown(series)
    ]


def crossover_rows(scaling: Scaling) -> list[DataRow]:
    """Return a row for each place where one series overtakes another, bounds included."""
    return [
        {
            "at": crossover.at.estimate,
            "low": crossover.at.low,
            "high": crossover.at.high,
            "text": f"crossover: {format_ratio(crossover.at.estimate)}",
        }
        for pair in scaling.pairs
        for crossover in pair.crossovers
        if crossover.at is not None
    ]


def log_ticks(low: float, high: float) -> list[float]:
    """Return the numbers 1, 2 and 5 times a power of ten between two bounds above zero."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = (factor * 10.0**power for power in powers for factor in (1, 2, 5))
    return [tick for tick in ticks if low <= tick <= high]


def draw_scaling(subject: Subject) -> Iterator[Drawing | Note]:
    """Draw the scaling of each profile in which a series has at least three numbers of workers.

    Several runs are drawn over one another, without crossovers; a comparison has a note instead.
    """
    if subject.verdicts is not None:
        if any(scaling.series for scaling in summarize_scaling(subject.run)):
            yield Note("Scaling is not drawn for a comparison: the rounds of its cases differ in length.")
        return
    for group in subject.groups:
        sides = {
            side: scaling
            for side, scalings in zip(subject.sides, subject.scalings, strict=True)
            for scaling in scalings
            if scaling.conditions == group.conditions and scaling.series
        }
        if sides:
            yield _draw(subject, sides, group)


def _series_of(sides: Sides) -> Iterator[tuple[str, Series]]:
    return ((side, series) for side, scaling in sides.items() for series in scaling.series)


def _side_field(side: str) -> DataRow:
    return {"side": side} if side else {}


def _is_shown(series: Series) -> bool:
    knee = series.knee
    return (
        knee is not None
        and not knee.failed
        and knee.step.gain is not None
        and knee.step.gain.ratio.low is not None
    )


def _ideals_s(group: Group) -> Mapping[tuple[str, str, int], float | None]:
    return {(each.side, each.series, each.case.workers): planned_ideal_s(each) for each in group.timed}


def planned_ideal_s(shown: ShownCase) -> float | None:
    """Return the median over blocks of the ideal by the planned delays, which all series share.

    Return None for a target, which has no planned delays.
    """
    if shown.case.profile.server:
        return None
    return median(fmean(round_.ideal_as_planned_s or 0.0 for round_ in trial.rounds) for trial in shown.good)


def _draw(subject: Subject, sides: Sides, group: Group) -> Drawing:
    rows, knees = point_rows(sides, group), knee_rows(sides, group)
    crossovers = crossover_rows(sides[""]) if "" in sides else []
    ideals = _ideal_rows(rows)
    x, y = _axes(rows, group.unit)
    colour = colour_series(subject)
    parts = [_ideal_line(ideals, x, y), *_series_marks(subject, rows, x, y, colour)]
    drawn = [each for each in group.timed if each.series in {row["series"] for row in rows}]
    keys = [
        *series_keys(subject, "line", drawn),
        *_side_keys(subject),
        Key("interval", "muted", "95% interval"),
    ]
    if ideals:
        of = f" of {rows[0]['side']}" if rows[0].get("side") else ""
        keys.append(Key("dash", "muted", f"planned ideal{of}"))
    if knees:
        parts += _knee_marks(knees, x, y, colour)
        keys.append(Key("ring", "muted", "knee: the last step that surely gains 5%"))
    if crossovers:
        parts += _crossover_marks(crossovers, x)
        keys.append(Key("tick", "muted", "crossover"))
    summary = _summary(sides, knees, crossovers)
    return Drawing(layers(*parts, height=_HEIGHT), group.title, summary, tuple(keys))


def _axes(rows: list[DataRow], unit: TimeUnit) -> tuple[_AxisOf, _AxisOf]:
    """Return the axes of workers and of times, both logarithmic, over all that is drawn."""
    workers = sorted({row["workers"] for row in rows})
    x_scale = alt.Scale(type="log", nice=False, domain=[workers[0] / 1.12, workers[-1] * 1.25])
    times = [
        value
        for row in rows
        for value in (row["ideal"] or 0.0, row["low"] or row["median"], row["high"] or row["median"])
        if value > 0  # a server that answers at once has an ideal of nothing
    ]
    low, high = min(times) / 1.15, max(times) * 1.15
    y_scale = alt.Scale(type="log", nice=False, domain=[low, high])
    ticks = log_ticks(low, high)
    # with a count of their own: that of the config would thin the values
    y_axis = alt.Axis(grid=True, labelExpr=_PLAIN, values=ticks, tickCount=len(ticks))
    x_axis = alt.Axis(grid=False, labelExpr=_PLAIN, values=workers, tickCount=len(workers))

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", title="workers (logarithmic)", scale=x_scale, axis=x_axis)

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q", title=f"elapsed time, {unit.name} (logarithmic)", scale=y_scale, axis=y_axis
        )

    return x, y


def _ideal_line(rows: list[DataRow], x: _AxisOf, y: _AxisOf) -> alt.Chart:
    line: alt.Chart = (
        alt.Chart(data(rows), name="ideals")
        .mark_line(style="quiet-line", strokeDash=[5, 4], strokeWidth=1.5, aria=False)
        .encode(x=x("workers"), y=y("ideal"))
    )
    return line


def _series_marks(
    subject: Subject, rows: list[DataRow], x: _AxisOf, y: _AxisOf, colour: alt.Color
) -> list[alt.Chart]:
    """Return the lines of all series, the intervals of their points, and the points."""
    lines = (
        alt.Chart(data(rows), name="lines")
        .mark_line(strokeWidth=2, aria=False)
        .encode(x=x("workers"), y=y("median"), color=colour, strokeDash=_side_dash(subject))
    )
    bars = (
        alt.Chart(data(row for row in rows if row["low"] is not None), name="intervals")
        .mark_rule(strokeWidth=4, opacity=0.45, aria=False)
        .encode(x=x("workers"), y=y("low"), y2="high:Q", color=colour)
    )
    tooltip = [
        alt.Tooltip("series:N", title="series"),
        *([alt.Tooltip("side:N", title="of")] if len(subject.sides) > 1 else []),
        alt.Tooltip("workers:Q", title="workers"),
        alt.Tooltip("text:N", title="median"),
        alt.Tooltip("interval:N", title="95% interval"),
        alt.Tooltip("gain:N", title="times as fast as with the next fewer"),
    ]
    points = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=x("workers"), y=y("median"), color=colour, tooltip=tooltip)
    )
    return [lines, bars, points]


def _knee_marks(knees: list[DataRow], x: _AxisOf, y: _AxisOf, colour: alt.Color) -> list[alt.Chart]:
    rings = (
        alt.Chart(data(knees), name="knees")
        .mark_point(filled=False, size=320, strokeWidth=2, opacity=1, aria=False)
        .encode(x=x("workers"), y=y("median"), color=colour)
    )
    texts = (
        alt.Chart(data(_knee_texts(knees)), name="knee_texts")
        .mark_text(dy=-19, align="left", dx=4, aria=False)
        .encode(x=x("workers"), y=y("median"), text="text:N")
    )
    return [rings, texts]


def _knee_texts(knees: list[DataRow]) -> list[DataRow]:
    """Return one text for all knees at the same number of workers, above the highest of them."""
    highest: dict[int, DataRow] = {}
    for row in sorted(knees, key=lambda row: float(row["median"])):
        highest[row["workers"]] = {key: row[key] for key in ("workers", "median", "text")}
    return list(highest.values())


def _crossover_marks(crossovers: list[DataRow], x: _AxisOf) -> list[alt.Chart]:
    rules = (
        alt.Chart(data(crossovers), name="crossovers")
        .mark_rule(style="quiet-line", strokeDash=[2, 3], aria=False)
        .encode(x=x("at"))
    )
    texts = (
        alt.Chart(data(crossovers), name="crossover_texts")
        .mark_text(style="quiet", align="left", dx=5, baseline="top", aria=False)
        .encode(x=x("at"), y=alt.value(0), text="text:N")
    )
    return [rules, texts]


def _ideal_rows(rows: list[DataRow]) -> list[DataRow]:
    """Return the planned ideal for each number of workers, the same for all series; zero has no logarithm.

    Of several runs it is the first one's: with another seed there are other delays.
    """
    first = rows[0].get("side")
    ideals = {row["workers"]: row["ideal"] for row in rows if row["ideal"] and row.get("side") == first}
    return [{"workers": workers, "ideal": ideals[workers]} for workers in sorted(ideals)]


def _summary(sides: Sides, knees: list[DataRow], crossovers: list[DataRow]) -> str:
    named = (", ".join(filter(None, (row["series"], row.get("side"), row["text"]))) for row in knees)
    found = "; ".join(named) or "no knee is shown"
    crossed = f"; {len(crossovers)} crossovers" if "" in sides else ""
    return f"{len(list(_series_of(sides)))} series by workers: {found}{crossed}."


def _side_symbols(subject: Subject) -> Mapping[str, Symbol]:
    """Return the dashes that tell the lines of several runs apart; the plain dash is the ideal's."""
    if len(subject.sides) == 1:
        return {}
    symbols = [symbol for symbol in DASHES if symbol != "dash"]
    return dict(zip(subject.sides, cycle(symbols), strict=False))


def _side_dash(subject: Subject) -> alt.StrokeDash | alt.utils.schemapi.UndefinedType:
    symbols = _side_symbols(subject)
    if not symbols:
        return alt.Undefined
    scale = alt.Scale(domain=list(symbols), range=[list(DASHES[symbol]) for symbol in symbols.values()])
    return alt.StrokeDash("side:N", scale=scale, legend=alt.Legend(title=None))


def _side_keys(subject: Subject) -> Iterator[Key]:
    for side, symbol in _side_symbols(subject).items():
        yield Key(symbol, "muted", side_name(subject, side))
