"""Elapsed time along an axis of cases: a line for each series, crossovers, and the planned ideal."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, groupby, pairwise
from typing import Final, TypeAlias

import altair as alt

from bench.model.case_axis import CaseAxis, axes_of
from bench.model.text import plural
from bench.report.axis_conclusion import format_place
from bench.report.case_label import describe_case, describe_conditions, workers_label
from bench.report.html.count_lines import (
    HEIGHT,
    CountAxes,
    CountScale,
    ideal_line,
    interval_bars,
    planned_ideal_s,
    series_lines,
    side_field,
    time_fields,
    time_points,
)
from bench.report.html.crossover_marks import crossover_keys, crossover_marks, crossover_rows
from bench.report.html.drawing import SHAPES, DataRow, Drawing, Key, Note, Symbol, layers
from bench.report.html.side_dashes import side_dash_keys
from bench.report.html.subject import Subject, series_name
from bench.report.html.theme import series_colour
from bench.report.number_format import TimeUnit, format_duration
from bench.stats.series_over_axis import AxisSeries, AxisSummary

Sides: TypeAlias = Mapping[str, AxisSummary]
"""The series under equal conditions, by the run that they belong to; an empty name if there is only one."""
_STEPS: Final = 24
"""Stretches of a line between two values."""
_SAME: Final = 1.01
"""Ideals that differ by less than this factor are one: they are medians over the blocks that succeeded."""


def point_rows(subject: Subject, sides: Sides) -> list[DataRow]:
    """Return a row for each value of each series; cases that mostly failed have none."""
    unit, ideals_s = _unit(sides), _ideals_s(subject)
    rows: list[DataRow] = []
    seen: Counter[tuple[str, str]] = Counter()
    for side, series in _series_of(sides):
        name = describe_case(series.case)
        seen[side, name] += 1
        for value, row in sides[side].ranked_rows(series).items():
            assert row.figures is not None  # noqa: S101  it is ranked
            elapsed, ideal_s = row.figures.elapsed, ideals_s[side, row.case.id]
            rows.append(
                {
                    "series": series_name(series.case),
                    "line": name if seen[side, name] == 1 else f"{name} ({seen[side, name]})",
                    **side_field(side),
                    sides[side].axis.name: value,
                    **time_fields(elapsed, unit),
                    "ideal": None if ideal_s is None else ideal_s * unit.per_second,
                    "workers": workers_label(row.case),
                    "each": format_duration(elapsed.estimate / row.case.countries.count),
                }
            )
    return rows


def line_rows(points: Sequence[DataRow], field: str) -> list[DataRow]:
    """Return the points of all lines, with others in between: what is straight is bent by logarithmic axes.

    Times are taken as linear in the value, as for crossovers, so that lines cross near their marks.
    """
    scale = CountScale.over([row[field] for row in points])
    return [
        {
            "series": row["series"],
            "line": row["line"],
            **side_field(row.get("side", "")),
            field: value,
            "median": median,
        }
        for _, own in groupby(points, key=lambda row: (row.get("side"), row["line"]))
        for row, value, median in _bend(list(own), scale, field, "median")
    ]


def ideal_rows(points: Sequence[DataRow], field: str) -> list[DataRow]:
    """Return the points of the planned ideal that all series share; none if they do not share one.

    Of several runs it is the first one's: with another seed there are other delays.
    """
    by_value: dict[int, list[float]] = {}
    for row in points:
        if row.get("side") == points[0].get("side"):
            by_value.setdefault(row[field], []).append(row["ideal"] or 0.0)
    if any(max(ideals) > _SAME * min(ideals) for ideals in by_value.values()):
        return []
    shared: list[DataRow] = [
        {field: value, "ideal": ideals[0]} for value, ideals in sorted(by_value.items()) if ideals[0]
    ]
    scale = CountScale.over([row[field] for row in points])
    return [{field: value, "ideal": ideal} for _, value, ideal in _bend(shared, scale, field, "ideal")]


def draw_over_axis(subject: Subject, name: str) -> Iterator[Drawing | Note]:
    """Draw the times along an axis, where cases are measured with several of its values.

    Several runs are drawn over one another, without crossovers; a comparison has a note instead.

    Args:
        subject: what the report is about.
        name: that of the axis.
    """
    if subject.verdicts is not None:
        for axis in axes_of(subject.run.cases):
            if axis.name == name:
                yield Note(
                    f"Times by {axis.label} are not drawn for a comparison: the rounds of its cases differ in"
                    " length."
                )
        return
    found = [[each for each in summaries if each.axis.name == name] for summaries in subject.axis_summaries]
    conditions = dict.fromkeys((each.axis, each.conditions) for summaries in found for each in summaries)
    for axis, shared in conditions:
        sides = {
            side: each
            for side, summaries in zip(subject.sides, found, strict=True)
            for each in summaries
            if (each.axis, each.conditions) == (axis, shared)
        }
        points = point_rows(subject, sides)
        if points:
            case = next(iter(sides.values())).common_case
            title = describe_conditions(case) if len(conditions) > 1 else ""
            yield _draw(subject, axis, sides, points, title)


def _series_of(sides: Sides) -> Iterator[tuple[str, AxisSeries]]:
    return ((side, series) for side, summary in sides.items() for series in summary.series)


def _unit(sides: Sides) -> TimeUnit:
    """Return the unit of all times of a chart."""
    times_s = (
        row.figures.elapsed.estimate
        for side, series in _series_of(sides)
        for row in sides[side].ranked_rows(series).values()
        if row.figures is not None
    )
    return TimeUnit.for_shortest(min(times_s, default=0.0))


def _ideals_s(subject: Subject) -> Mapping[tuple[str, str], float | None]:
    timed = (each for group in subject.groups for each in group.timed)
    return {(each.side, each.case.id): planned_ideal_s(each) for each in timed}


def _bend(
    rows: Sequence[DataRow], scale: CountScale, field: str, time: str
) -> Iterator[tuple[DataRow, float, float]]:
    """Yield points of the straight lines between rows: a row, a value of the axis, and the time there."""
    for start, end in pairwise(rows):
        first, last = start[field], end[field]
        for step in range(_STEPS):
            value = scale.between(first, last, step / _STEPS)
            share = (value - first) / (last - first)
            yield start, value, start[time] + share * (end[time] - start[time])
    if rows:
        yield rows[-1], rows[-1][field], rows[-1][time]


def _draw(subject: Subject, axis: CaseAxis, sides: Sides, points: list[DataRow], title: str) -> Drawing:
    ideals = ideal_rows(points, axis.name)
    crossovers = crossover_rows(sides[""].pairs, describe_case, format_place) if "" in sides else []
    axes = CountAxes.over(points, ideals, axis.name, _unit(sides), axis.unit)
    symbols = _symbols(points)
    shapes = alt.Scale(domain=list(symbols), range=[SHAPES[symbol] for symbol in symbols.values()])
    tooltip = [alt.Tooltip("workers:N", title="workers"), alt.Tooltip("each:N", title="median ÷ downloads")]
    marks = [
        ideal_line(ideals, axes),
        series_lines(subject, line_rows(points, axis.name), axes).encode(detail="line:N"),
        interval_bars(subject, points, axes),
        time_points(subject, points, axes, tooltip).encode(
            shape=alt.Shape("line:N", scale=shapes, legend=None)
        ),
        *crossover_marks(crossovers, axes),
    ]
    keys = [
        *_line_keys(subject, points, symbols),
        *side_dash_keys(subject),
        Key("interval", "muted", "95% interval"),
    ]
    if ideals:
        of = f" of {points[0]['side']}" if points[0].get("side") else ""
        keys.append(Key("dash", "muted", f"planned ideal{of}"))
    keys += crossover_keys(crossovers)
    summary = _summary(axis, sides, crossovers)
    return Drawing(layers(*marks, height=HEIGHT), title, summary, tuple(keys), remark=_left_out(sides))


def _symbols(points: Sequence[DataRow]) -> Mapping[str, Symbol]:
    """Return the symbol of each line: those of one colour, which differ in workers, have different ones."""
    of_series: dict[str, Iterator[Symbol]] = {}
    symbols: dict[str, Symbol] = {}
    for row in points:
        if row["line"] not in symbols:
            symbols[row["line"]] = next(of_series.setdefault(row["series"], cycle(SHAPES)))
    return symbols


def _line_keys(subject: Subject, points: Sequence[DataRow], symbols: Mapping[str, Symbol]) -> Iterator[Key]:
    """Yield the legend of the lines, from the highest to the lowest at their ends."""
    ends = {row["line"]: row for row in points}
    for line, row in sorted(ends.items(), key=lambda item: item[1]["median"], reverse=True):
        yield Key(symbols[line], series_colour(subject.series.index(row["series"])), line)


def _left_out(sides: Sides) -> str:
    """Count the times that the table has and the chart has not."""
    failed = {
        (side, row.case.id)
        for side, series in _series_of(sides)
        for value, row in series.rows.items()
        if row.figures is not None and value not in sides[side].ranked_rows(series)
    }
    if not failed:
        return ""
    return f"{plural(len(failed), 'case')} that mostly failed {'is' if len(failed) == 1 else 'are'} left out."


def _summary(axis: CaseAxis, sides: Sides, crossovers: Sequence[DataRow]) -> str:
    lines = plural(len(list(_series_of(sides))), "line")
    if "" not in sides:
        return f"{lines} by {axis.label}."
    found = (f"{row['order']} at about {format_place(row['at'])}" for row in crossovers)
    return f"{lines} by {axis.label}: {'; '.join(found) or 'no crossover is shown'}."
