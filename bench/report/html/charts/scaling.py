"""Elapsed time by number of workers: knees, crossovers, and the planned ideal."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import altair as alt

from bench.report.case_label import describe_series
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
from bench.report.html.drawing import DataRow, Drawing, Key, Note, colour_series, data, layers, series_keys
from bench.report.html.side_dashes import side_dash_keys
from bench.report.html.subject import Group, Subject
from bench.report.number_format import format_ratio
from bench.stats.scaling import Scaling, Series, summarize_scaling

Sides: TypeAlias = Mapping[str, Scaling]
"""The scaling under equal conditions, by the run that it belongs to; an empty name if there is only one."""


def point_rows(sides: Sides, group: Group) -> list[DataRow]:
    """Return a row for each number of workers of each series; ideals are of their cases."""
    ideals_s = _ideals_s(group)
    rows: list[DataRow] = []
    for side, series in _series_of(sides):
        name = describe_series(series.key)
        for point in series.points:
            ideal_s = ideals_s[side, name, point.workers]
            rows.append(
                {
                    "series": name,
                    **side_field(side),
                    "workers": point.workers,
                    **time_fields(point.elapsed, group.unit),
                    "ideal": None if ideal_s is None else ideal_s * group.unit.per_second,
                    "gain": "–" if point.gain is None else f"{format_ratio(point.gain.ratio.estimate)} ×",
                }
            )
    return rows


def knee_rows(sides: Sides, group: Group) -> list[DataRow]:
    """Return a row for each series with a knee that its blocks show."""
    return [
        {
            "series": describe_series(series.key),
            **side_field(side),
            "workers": series.knee.point.workers,
            "median": series.knee.point.elapsed.estimate * group.unit.per_second,
            "text": f"knee: {series.knee.point.workers}",
        }
        for side, series in _series_of(sides)
        if series.knee is not None and _is_shown(series)
    ]


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


def _draw(subject: Subject, sides: Sides, group: Group) -> Drawing:
    rows, knees = point_rows(sides, group), knee_rows(sides, group)
    crossovers = crossover_rows(sides[""].pairs, describe_series) if "" in sides else []
    ideals = _ideal_rows(rows)
    axes = CountAxes.over(rows, ideals, "workers", group.unit)
    gain = alt.Tooltip("gain:N", title="times as fast as with the next fewer")
    parts = [
        ideal_line(ideals, axes),
        series_lines(subject, rows, axes),
        interval_bars(subject, rows, axes),
        time_points(subject, rows, axes, [gain]),
    ]
    drawn = [each for each in group.timed if each.series in {row["series"] for row in rows}]
    keys = [
        *series_keys(subject, "line", drawn),
        *side_dash_keys(subject),
        Key("interval", "muted", "95% interval"),
    ]
    if ideals:
        of = f" of {rows[0]['side']}" if rows[0].get("side") else ""
        keys.append(Key("dash", "muted", f"planned ideal{of}"))
    if knees:
        parts += _knee_marks(subject, knees, axes)
        keys.append(Key("ring", "muted", "knee: the last step that surely gains 5%"))
    parts += crossover_marks(crossovers, axes)
    keys += crossover_keys(crossovers)
    summary = _summary(sides, knees, crossovers)
    return Drawing(layers(*parts, height=HEIGHT), group.title, summary, tuple(keys))


def _knee_marks(subject: Subject, knees: list[DataRow], axes: CountAxes) -> list[alt.Chart]:
    rings = (
        alt.Chart(data(knees), name="knees")
        .mark_point(filled=False, size=320, strokeWidth=2, opacity=1, aria=False)
        .encode(x=axes.x("workers"), y=axes.y("median"), color=colour_series(subject))
    )
    texts = (
        alt.Chart(data(_knee_texts(knees)), name="knee_texts")
        .mark_text(dy=-19, align="left", dx=4, aria=False)
        .encode(x=axes.x("workers"), y=axes.y("median"), text="text:N")
    )
    return [rings, texts]


def _knee_texts(knees: list[DataRow]) -> list[DataRow]:
    """Return one text for all knees at the same number of workers, above the highest of them."""
    highest: dict[int, DataRow] = {}
    for row in sorted(knees, key=lambda row: float(row["median"])):
        highest[row["workers"]] = {key: row[key] for key in ("workers", "median", "text")}
    return list(highest.values())


def _ideal_rows(rows: list[DataRow]) -> list[DataRow]:
    """Return the least planned ideal for each number of workers; zero has no logarithm.

    All series share it, unless some open more connections. Of several runs it is the first one's: with
    another seed there are other delays.
    """
    first = rows[0].get("side")
    ideals: dict[int, float] = {}
    for row in rows:
        if row.get("side") == first:
            ideal = row["ideal"] or 0.0
            ideals[row["workers"]] = min(ideal, ideals.get(row["workers"], ideal))
    return [{"workers": workers, "ideal": ideal} for workers, ideal in sorted(ideals.items()) if ideal]


def _summary(sides: Sides, knees: list[DataRow], crossovers: list[DataRow]) -> str:
    named = (", ".join(filter(None, (row["series"], row.get("side"), row["text"]))) for row in knees)
    found = "; ".join(named) or "no knee is shown"
    crossed = f"; {len(crossovers)} crossovers" if "" in sides else ""
    return f"{len(list(_series_of(sides)))} series by workers: {found}{crossed}."
