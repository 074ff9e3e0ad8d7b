"""Draw elapsed times as lines over counts of workers, downloads or CPU work, with both axes logarithmic.

Used by the charts `scaling`, `downloads` and `work`. Rows of times have a series, a count and the fields of
`time_fields`. Rows of the planned ideal have a count and ``ideal``, above zero, as zero has no logarithm.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Final, Self, TypeAlias

import altair as alt

from bench.report.html.drawing import DataRow, colour_series, data
from bench.report.html.side_dashes import side_dash
from bench.report.html.subject import ShownCase, Subject
from bench.report.number_format import TimeUnit, format_duration, format_interval
from bench.stats.intervals import Interval

HEIGHT: Final = 400
"""Pixels of such a chart."""
_PLAIN: Final = "format(datum.value, ',~r')"
"""Writes every label: by itself, a logarithmic axis leaves out some."""
AxisOf: TypeAlias = Callable[[str], Any]
"""Returns the axis of a field."""


@dataclass(frozen=True, slots=True)
class CountScale:
    """A logarithmic scale of counts.

    Zero has no logarithm: where a count is zero, the scale is that of 1 + count ÷ ``least``, which is nearly
    straight up to ``least`` and nearly logarithmic beyond.

    Attributes:
        least: the least count above zero; None if no count is zero.
    """

    least: int | None

    @classmethod
    def over(cls, counts: Sequence[int]) -> Self:
        """Return a scale for some counts."""
        return cls(min(filter(None, counts), default=1) if 0 in counts else None)

    def position(self, count: float) -> float:
        """Return the place of a count on a line."""
        return math.log(count) if self.least is None else math.log1p(count / self.least)

    def count(self, position: float) -> float:
        """Return the count at a place on this line."""
        return math.exp(position) if self.least is None else math.expm1(position) * self.least

    def between(self, first: float, last: float, share: float) -> float:
        """Return the count that lies at a share of the way between two others."""
        start, end = self.position(first), self.position(last)
        return self.count(start + share * (end - start))

    def scale(self, counts: Sequence[int]) -> alt.Scale:
        """Return the scale of an axis for these counts, with a margin on both sides."""
        if self.least is None:
            return alt.Scale(type="log", nice=False, domain=[counts[0] / 1.12, counts[-1] * 1.25])
        domain = [-0.1 * self.least, counts[-1] * 1.25 or 1.0]
        return alt.Scale(type="symlog", constant=self.least, nice=False, domain=domain)


@dataclass(frozen=True, slots=True)
class CountAxes:
    """The axes of counts and of times.

    Attributes:
        field: the field of the rows with their count.
        counted: what is counted.
        counts: those that were measured, ascending.
        scale: that of counts.
        x: the axis of counts.
        y: the axis of times.
    """

    field: str
    counted: str
    counts: tuple[int, ...]
    scale: CountScale
    x: AxisOf
    y: AxisOf

    @classmethod
    def over(
        cls,
        rows: Sequence[DataRow],
        ideals: Sequence[DataRow],
        field: str,
        unit: TimeUnit,
        counted: str = "",
    ) -> Self:
        """Return axes over the times of these rows and the ideals that are drawn.

        Args:
            rows: those of the points.
            ideals: those of the planned ideal.
            field: the field with the count.
            unit: that of the times.
            counted: what is counted, for the title of the axis; empty: the field says it.
        """
        counts = sorted({row[field] for row in rows})
        scale = CountScale.over(counts)
        x_scale = scale.scale(counts)
        times = [
            value for row in rows for value in (row["low"] or row["median"], row["high"] or row["median"])
        ]
        times += [row["ideal"] for row in ideals]
        low, high = min(times) / 1.15, max(times) * 1.15
        y_scale = alt.Scale(type="log", nice=False, domain=[low, high])
        ticks = log_ticks(low, high)
        # with a count of their own: that of the config would thin the values
        y_axis = alt.Axis(grid=True, labelExpr=_PLAIN, values=ticks, tickCount=len(ticks))
        x_axis = alt.Axis(grid=False, labelExpr=_PLAIN, values=counts, tickCount=len(counts))
        y_title = f"elapsed time, {unit.name} (logarithmic)"

        def x(name: str) -> alt.X:
            return alt.X(f"{name}:Q", title=f"{counted or field} (logarithmic)", scale=x_scale, axis=x_axis)

        def y(name: str) -> alt.Y:
            return alt.Y(f"{name}:Q", title=y_title, scale=y_scale, axis=y_axis)

        return cls(field, counted or field, tuple(counts), scale, x, y)


def log_ticks(low: float, high: float) -> list[float]:
    """Return the numbers 1, 2 and 5 times a power of ten between two bounds above zero."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = (factor * 10.0**power for power in powers for factor in (1, 2, 5))
    return [tick for tick in ticks if low <= tick <= high]


def side_field(side: str) -> DataRow:
    """Return the field that names the run of a row; no field if there is only one."""
    return {"side": side} if side else {}


def time_fields(elapsed: Interval, unit: TimeUnit) -> DataRow:
    """Return the fields of a time and its bounds, in this unit and as texts."""
    per = unit.per_second
    return {
        "median": elapsed.estimate * per,
        "low": None if elapsed.low is None else elapsed.low * per,
        "high": None if elapsed.high is None else elapsed.high * per,
        "text": format_duration(elapsed.estimate),
        "interval": format_interval(elapsed, format_duration, " to "),
    }


def planned_ideal_s(shown: ShownCase) -> float | None:
    """Return the median over blocks of the ideal by the planned delays.

    Cases with as many workers share it, unless some open more connections. Return None for a target, which
    has no planned delays.
    """
    if shown.case.profile.server:
        return None
    return median(fmean(round_.ideal_as_planned_s or 0.0 for round_ in trial.rounds) for trial in shown.good)


def ideal_line(rows: Sequence[DataRow], axes: CountAxes) -> alt.Chart:
    """Draw the planned ideal."""
    line: alt.Chart = (
        alt.Chart(data(rows), name="ideals")
        .mark_line(style="quiet-line", strokeDash=[5, 4], strokeWidth=1.5, aria=False)
        .encode(x=axes.x(axes.field), y=axes.y("ideal"))
    )
    return line


def series_lines(subject: Subject, rows: Sequence[DataRow], axes: CountAxes) -> alt.Chart:
    """Draw a line for each series of each run."""
    lines: alt.Chart = (
        alt.Chart(data(rows), name="lines")
        .mark_line(strokeWidth=2, aria=False)
        .encode(
            x=axes.x(axes.field),
            y=axes.y("median"),
            color=colour_series(subject),
            strokeDash=side_dash(subject),
        )
    )
    return lines


def interval_bars(subject: Subject, rows: Sequence[DataRow], axes: CountAxes) -> alt.Chart:
    """Draw the intervals of the times that have one."""
    bars: alt.Chart = (
        alt.Chart(data(row for row in rows if row["low"] is not None), name="intervals")
        .mark_rule(strokeWidth=4, opacity=0.45, aria=False)
        .encode(x=axes.x(axes.field), y=axes.y("low"), y2="high:Q", color=colour_series(subject))
    )
    return bars


def time_points(
    subject: Subject, rows: Sequence[DataRow], axes: CountAxes, tooltip: Sequence[alt.Tooltip]
) -> alt.Chart:
    """Draw a point for each time.

    Args:
        subject: it names the run in the tooltip if there are several.
        rows: they have the field ``series``, too.
        axes: those of the chart.
        tooltip: the lines below series, run and count.
    """
    points: alt.Chart = (
        alt.Chart(data(rows), name="points")
        .mark_point(filled=True, size=90, opacity=1)
        .encode(
            x=axes.x(axes.field),
            y=axes.y("median"),
            color=colour_series(subject),
            tooltip=[
                alt.Tooltip("series:N", title="series"),
                *([alt.Tooltip("side:N", title="of")] if len(subject.sides) > 1 else []),
                alt.Tooltip(f"{axes.field}:Q", title=axes.counted, format=","),
                alt.Tooltip("text:N", title="median"),
                alt.Tooltip("interval:N", title="95% interval"),
                *tooltip,
            ],
        )
    )
    return points
