"""Elapsed time by number of downloads: a line for each series, crossovers, and the planned ideal."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, groupby, pairwise
from typing import Final, TypeAlias

import altair as alt

from bench.model.text import plural
from bench.report.case_label import describe_case, describe_fetch_conditions, workers_label
from bench.report.html.count_lines import (
    HEIGHT,
    CountAxes,
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
from bench.report.number_format import TimeUnit, format_count, format_duration
from bench.stats.download_counts import CountSeries, DownloadCounts

Sides: TypeAlias = Mapping[str, DownloadCounts]
"""The series of one profile, by the run that they belong to; an empty name if there is only one."""
_STEPS: Final = 24
"""Stretches of a line between two numbers of downloads."""
_SAME: Final = 1.01
"""Ideals that differ by less than this factor are one: they are medians over the blocks that succeeded."""


def point_rows(subject: Subject, sides: Sides) -> list[DataRow]:
    """Return a row for each number of downloads of each series; cases that mostly failed have none."""
    unit, ideals_s = _unit(sides), _ideals_s(subject)
    rows: list[DataRow] = []
    seen: Counter[tuple[str, str]] = Counter()
    for side, series in _series_of(sides):
        name = describe_case(series.case)
        seen[side, name] += 1
        for count, row in sides[side].ranked_rows(series).items():
            assert row.figures is not None  # noqa: S101  it is ranked
            elapsed, ideal_s = row.figures.elapsed, ideals_s[side, row.case.id]
            rows.append(
                {
                    "series": series_name(series.case),
                    "line": name if seen[side, name] == 1 else f"{name} ({seen[side, name]})",
                    **side_field(side),
                    "downloads": count,
                    **time_fields(elapsed, unit),
                    "ideal": None if ideal_s is None else ideal_s * unit.per_second,
                    "workers": workers_label(row.case),
                    "each": format_duration(elapsed.estimate / count),
                }
            )
    return rows


def line_rows(points: Sequence[DataRow]) -> list[DataRow]:
    """Return the points of all lines, with others in between: what is straight is bent by logarithmic axes.

    Times are taken as linear in the number of downloads, as for crossovers, so that lines cross near their
    marks.
    """
    return [
        {
            "series": row["series"],
            "line": row["line"],
            **side_field(row.get("side", "")),
            "downloads": downloads,
            "median": median,
        }
        for _, own in groupby(points, key=lambda row: (row.get("side"), row["line"]))
        for row, downloads, median in _bend(list(own), "median")
    ]


def ideal_rows(points: Sequence[DataRow]) -> list[DataRow]:
    """Return the points of the planned ideal that all series share; none if they do not share one.

    Of several runs it is the first one's: with another seed there are other delays.
    """
    by_count: dict[int, list[float]] = {}
    for row in points:
        if row.get("side") == points[0].get("side"):
            by_count.setdefault(row["downloads"], []).append(row["ideal"] or 0.0)
    if any(max(ideals) > _SAME * min(ideals) for ideals in by_count.values()):
        return []
    shared: list[DataRow] = [
        {"downloads": count, "ideal": ideals[0]} for count, ideals in sorted(by_count.items()) if ideals[0]
    ]
    return [{"downloads": downloads, "ideal": ideal} for _, downloads, ideal in _bend(shared, "ideal")]


def draw_downloads(subject: Subject) -> Iterator[Drawing | Note]:
    """Draw the times of each profile, where cases are measured with several numbers of downloads.

    Several runs are drawn over one another, without crossovers; a comparison has a note instead.
    """
    if subject.verdicts is not None:
        if any(case.countries.is_one_of_several for case in subject.run.cases):
            yield Note(
                "Times by number of downloads are not drawn for a comparison: the rounds of its cases differ"
                " in length."
            )
        return
    conditions = dict.fromkeys(counts.conditions for found in subject.download_counts for counts in found)
    for each in conditions:
        sides = {
            side: counts
            for side, found in zip(subject.sides, subject.download_counts, strict=True)
            for counts in found
            if counts.conditions == each
        }
        points = point_rows(subject, sides)
        if points:
            case = next(iter(sides.values())).series[0].case
            title = describe_fetch_conditions(case) if len(conditions) > 1 else ""
            yield _draw(subject, sides, points, title)


def _series_of(sides: Sides) -> Iterator[tuple[str, CountSeries]]:
    return ((side, series) for side, counts in sides.items() for series in counts.series)


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


def _bend(rows: Sequence[DataRow], field: str) -> Iterator[tuple[DataRow, float, float]]:
    """Yield points of the straight lines between rows: a row, a number of downloads, and the value there."""
    for start, end in pairwise(rows):
        first, last = start["downloads"], end["downloads"]
        for step in range(_STEPS):
            downloads = first * math.pow(last / first, step / _STEPS)
            share = (downloads - first) / (last - first)
            yield start, downloads, start[field] + share * (end[field] - start[field])
    if rows:
        yield rows[-1], rows[-1]["downloads"], rows[-1][field]


def _draw(subject: Subject, sides: Sides, points: list[DataRow], title: str) -> Drawing:
    ideals = ideal_rows(points)
    crossovers = crossover_rows(sides[""].pairs, describe_case, format_count) if "" in sides else []
    axes = CountAxes.over(points, ideals, "downloads", _unit(sides))
    symbols = _symbols(points)
    shapes = alt.Scale(domain=list(symbols), range=[SHAPES[symbol] for symbol in symbols.values()])
    tooltip = [alt.Tooltip("workers:N", title="workers"), alt.Tooltip("each:N", title="median ÷ downloads")]
    marks = [
        ideal_line(ideals, axes),
        series_lines(subject, line_rows(points), axes).encode(detail="line:N"),
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
    summary = _summary(sides, crossovers)
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
        for count, row in series.rows.items()
        if row.figures is not None and count not in sides[side].ranked_rows(series)
    }
    if not failed:
        return ""
    return f"{plural(len(failed), 'case')} that mostly failed {'is' if len(failed) == 1 else 'are'} left out."


def _summary(sides: Sides, crossovers: Sequence[DataRow]) -> str:
    lines = plural(len(list(_series_of(sides))), "line")
    if "" not in sides:
        return f"{lines} by number of downloads."
    found = (f"{row['order']} at about {format_count(row['at'])}" for row in crossovers)
    return f"{lines} by number of downloads: {'; '.join(found) or 'no crossover is shown'}."
