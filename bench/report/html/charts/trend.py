"""The history of each metric of a case: each point against the reference, with lasting steps."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Final

import altair as alt

from bench.model.text import plural, printable
from bench.report.comparison_table import short_commit
from bench.report.history_table import describe_step, name_track
from bench.report.html.drawing import SIGNED_SHARE, DataRow, Drawing, Key, Note, data, layers
from bench.report.html.theme import VERDICT_ORDER, verdict_colour
from bench.report.number_format import format_change, format_change_interval
from bench.stats.history import HistorySeries, HistoryTrack, PointOrder, Step
from bench.stats.intervals import Interval

_MOST_TRACKS: Final = 40
"""Charts on a page; those with the newest steps come first."""
_HEIGHT: Final = 260
_TOOLTIP: Final = {
    "commit": "commit",
    "measured": "measured",
    "words": "change",
    "bounds": "bounds",
    "verdict": "verdict",
    "reference": "against",
    "run": "run",
}
"""The title of each line of a tooltip by its field."""
_LEAST_REACH: Final = 0.03
"""The vertical axis reaches at least so far to both sides, so that noise does not look like mountains."""


def draw_trends(tracks: Sequence[HistoryTrack], order: PointOrder) -> Iterator[Drawing | Note]:
    """Draw the history of each track, those with the newest steps first."""
    ordered = sorted(tracks, key=_newest_step, reverse=True)
    for track in ordered[:_MOST_TRACKS]:
        yield _draw(track, tracks, order)
    if left := ordered[_MOST_TRACKS:]:
        yield Note(f"Not drawn, but in the table below: {plural(len(left), 'more row')}.")


def point_rows(track: HistoryTrack) -> list[DataRow]:
    """Return a row for each point; points are numbered from 1, and changes are shares."""
    numbered = enumerate((point for series in track.series for point in series.points), 1)
    return [
        {
            "number": number,
            "change": point.ratio - 1,
            "low": None if point.low is None else point.low - 1,
            "high": None if point.high is None else point.high - 1,
            "verdict": point.verdict,
            "commit": short_commit(point.commit),
            "reference": short_commit(point.reference),
            "measured": point.time,
            "run": printable(point.run),
            "words": format_change(point.ratio),
            "bounds": format_change_interval(Interval(point.ratio, point.low, point.high)),
        }
        for number, point in numbered
    ]


def level_rows(track: HistoryTrack) -> list[DataRow]:
    """Return a row for each stretch between two steps: its first and last point, and its median change."""
    return [
        {
            "first": before + start + 0.6,
            "last": before + end + 0.4,
            "change": median(point.ratio for point in series.points[start:end]) - 1,
        }
        for before, series in _numbered(track)
        for start, end in pairwise([0, *_step_places(series), len(series.points)])
    ]


def step_rows(track: HistoryTrack) -> list[DataRow]:
    """Return a row for each lasting step, between the points of the old level and those of the new."""
    return [
        {"number": before + place + 0.5, "text": describe_step(step)}
        for before, series in _numbered(track)
        for place, step in _step_places(series).items()
    ]


def _numbered(track: HistoryTrack) -> Iterator[tuple[int, HistorySeries]]:
    """Yield each series with the number of points before it."""
    before = 0
    for series in track.series:
        yield before, series
        before += len(series.points)


def _step_places(series: HistorySeries) -> Mapping[int, Step]:
    """Return the steps by the places of their first points, counted from 0, in order."""
    steps = {step.point.identity: step for step in series.steps}
    return {
        place: steps[point.identity] for place, point in enumerate(series.points) if point.identity in steps
    }


def _newest_step(track: HistoryTrack) -> tuple[str, ...]:
    steps = track.series[-1].steps
    return steps[-1].point.identity if steps else ()


def _draw(track: HistoryTrack, tracks: Sequence[HistoryTrack], order: PointOrder) -> Drawing:
    points, steps = point_rows(track), step_rows(track)
    reach = max(_LEAST_REACH, *(abs(row["change"]) for row in points)) * 1.15
    x, y = partial(_point_axis, order=order, count=len(points)), partial(_change_axis, reach=reach)
    colour = alt.Color(
        "verdict:N", scale=alt.Scale(domain=list(VERDICT_ORDER), range="diverging"), legend=alt.Legend()
    )
    bars = (
        alt.Chart(data(row for row in points if row["low"] is not None), name="intervals")
        .mark_rule(strokeWidth=3, opacity=0.35, aria=False, clip=True)
        .encode(x=x("number"), y=y("low"), y2="high:Q", color=colour)
    )
    levels = (
        alt.Chart(data(level_rows(track)), name="levels")
        .mark_rule(style="ideal-line", strokeWidth=2, aria=False)
        .encode(x=x("first"), x2="last:Q", y=y("change"))
    )
    lines = (
        alt.Chart(data(steps), name="steps")
        .mark_rule(style="discarded", strokeWidth=1.5, strokeDash=[6, 3], aria=False)
        .encode(x=x("number"))
    )
    texts = (
        alt.Chart(data(steps), name="step-texts")
        .mark_text(align="right", dx=-5, baseline="top", aria=False)
        .encode(x=x("number"), y=alt.value(4), text="text:N")
    )
    dots = (
        alt.Chart(data(points), name="points")
        .mark_point(filled=True, size=60, opacity=1)
        .encode(
            x=x("number"),
            y=y("change"),
            color=colour,
            tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in _TOOLTIP.items()],
        )
    )
    shown = dict.fromkeys(row["verdict"] for row in points)
    return Drawing(
        layers(bars, levels, lines, texts, dots, height=_HEIGHT),
        f"{track.metric} of {name_track(track, tracks)}",
        _summary(track.series[-1]),
        (
            *(Key("dot", verdict_colour(each), each) for each in VERDICT_ORDER if each in shown),
            Key("interval", "muted", "what the blocks leave possible"),
            Key("line", "ink", "level between two steps"),
            *([Key("dash", "bad", "lasting step")] if steps else []),
        ),
        remark=_remark(track),
    )


def _point_axis(field: str, order: PointOrder, count: int) -> alt.X:
    return alt.X(
        f"{field}:Q",
        title=f"points in the order of {order}",
        scale=alt.Scale(domain=[0.5, count + 0.5], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1),
    )


def _change_axis(field: str, reach: float) -> alt.Y:
    return alt.Y(
        f"{field}:Q",
        title="against the reference",
        scale=alt.Scale(domain=[-reach, reach], nice=False, clamp=True),
        axis=alt.Axis(labelExpr=SIGNED_SHARE, grid=True, tickCount=6),
    )


def _summary(series: HistorySeries) -> str:
    count = plural(len(series.points), "point")
    last = format_change(series.points[-1].ratio)
    found = "; ".join(map(describe_step, series.steps))
    return f"{count}, the last at {last}; {f'lasting steps: {found}' if found else 'no lasting step'}."


def _remark(track: HistoryTrack) -> str:
    if len(track.series) == 1:
        return ""
    return f"Its {len(track.series)} references follow one another: levels of two of them do not compare."
