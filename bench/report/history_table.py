"""Build the table of the history.

Each metric of a case has its trend, its last change and its last step.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from bench.model.text import join_and, plural, printable
from bench.report.comparison_table import short_commit
from bench.report.number_format import MISSING, format_change, format_change_interval, format_percent
from bench.report.sparkline import BREAK, draw_series
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.terminal import text_width
from bench.stats.change_points import ALPHA, LEAST_POINTS
from bench.stats.history import HistorySeries, HistoryTrack, PointOrder, Step
from bench.stats.intervals import Interval
from bench.storage.pinned_reference import Reference
from bench.system.program_name import program_name

_LEAST_RANGE: Final = 0.05
"""Of a trend, as a logarithm; a smaller range is drawn lower than the whole height."""
_MOST_NAMED: Final = 3
_LEAST_TREND: Final = 8
_MOST_TREND: Final = 60
_SHORT_FINGERPRINT: Final = 12
_SHORT_SETTINGS: Final = 7
_DAY: Final = len("2026-01-02")
_FIGURES: Final = tuple(map(Column, ("points", "last change", "bounds", "last step")))


def history_tables(
    tracks: Sequence[HistoryTrack],
    reference: Reference | None,
    room: int,
    order: PointOrder = "measuring",
    *,
    full: bool = False,
) -> Iterator[Table]:
    """Return what was found, then the table.

    Args:
        tracks: a row for each.
        reference: the pinned one, if there is any.
        room: cells of a line, which decide on the width of the trends.
        order: in which the points stand.
        full: whether to explain the columns.
    """
    yield Table(remarks=(Remark(history_conclusion(tracks)),))
    trend_room = _trend_room(tracks, room)
    yield Table(
        title=f"History of candidate ÷ reference, in order of {order}",
        columns=(Column("", "left"), Column("trend"), *_FIGURES),
        sections=tuple(
            Section(heading, tuple(_row(track, trend_room) for track in group))
            for heading, group in groupby(tracks, key=lambda track: name_track(track, tracks))
        ),
        legend=_legend(tracks) if full else "",
        remarks=tuple(map(Remark, _remarks(tracks, reference))),
    )


def history_conclusion(tracks: Sequence[HistoryTrack]) -> str:
    """Name the newest steps, or say that there are none and what a step takes."""
    rows = plural(len(tracks), "row")
    stepped = [(track, track.series[-1].steps[-1]) for track in tracks if track.series[-1].steps]
    if stepped:
        stepped.sort(key=lambda each: each[1].point.identity, reverse=True)
        named = [
            f"{track.metric} of {printable(track.case)} by {format_change(step.ratio)} "
            f"at {short_commit(step.point.commit)} ({step.point.time[:_DAY]})"
            for track, step in stepped
        ]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        verb = "has a lasting step" if len(stepped) == 1 else "have lasting steps"
        return f"{len(stepped)} of {rows} {verb}, the newest: {'; '.join(named[:_MOST_NAMED])}{more}."
    points = max((len(track.series[-1].points) for track in tracks), default=0)
    if points < LEAST_POINTS:
        return f"Too few points for a lasting step: {points} at the most, and it takes {LEAST_POINTS}."
    return f"No lasting step in {rows}."


def _trend_room(tracks: Sequence[HistoryTrack], room: int) -> int:
    """Return the width that the other columns leave to the trend, within limits."""
    names = max((len(f"  {track.metric}") for track in tracks), default=0)
    headings = [column.heading.replace(" ", "\n") for column in _FIGURES]
    columns = zip(headings, *map(_figures, tracks), strict=True)
    taken = sum(max(map(text_width, column)) for column in columns)
    gaps = len(_FIGURES) + 1
    return min(max(room - names - taken - gaps, _LEAST_TREND), _MOST_TREND)


def name_track(track: HistoryTrack, tracks: Sequence[HistoryTrack]) -> str:
    """Name a track's case and reference; config, settings and machine only if there are several."""
    parts = [printable(track.case), f"against {short_commit(track.series[-1].reference)}"]
    if len({each.config for each in tracks}) > 1:
        parts.append(f"config {printable(track.config)}")
    if len({each.settings for each in tracks if (each.case, each.config) == (track.case, track.config)}) > 1:
        parts.append(f"settings {printable(track.settings[:_SHORT_SETTINGS])}")
    if len({each.fingerprint for each in tracks}) > 1:
        parts.append(f"machine {printable(track.fingerprint[:_SHORT_FINGERPRINT])}")
    return ", ".join(parts)


def _row(track: HistoryTrack, trend_room: int) -> Row:
    ratios = [[point.log_ratio for point in each.points] for each in track.series]
    return Row((track.metric, draw_series(ratios, _LEAST_RANGE, trend_room), *_figures(track)))


def _figures(track: HistoryTrack) -> tuple[str, ...]:
    """Write the figures beside the trend, all against the present reference."""
    series = track.series[-1]
    last = series.points[-1]
    return (
        f"{len(series.points):,}",
        format_change(last.ratio),
        format_change_interval(Interval(last.ratio, last.low, last.high)),
        _last_step(series),
    )


def _last_step(series: HistorySeries) -> str:
    if not series.steps:
        return MISSING
    return describe_step(series.steps[-1])


def describe_step(step: Step) -> str:
    """Write by how much a series changed, when, and at which commit."""
    return f"{format_change(step.ratio)} {step.point.time[:_DAY]} {short_commit(step.point.commit)}"


def _legend(tracks: Sequence[HistoryTrack]) -> str:
    step = f"last step: new level against the old one; by chance in {format_percent(ALPHA)} of series"
    parts = [
        "trend: a bar a point or, of many, the median of several, the newest last",
        "last change: of the newest point, with the bounds at the last look of its comparison",
        f"{step}, and it takes {LEAST_POINTS} points",
    ]
    if any(len(track.series) > 1 for track in tracks):
        parts.insert(1, f"{BREAK} another reference, with which no point before it compares")
    return "; ".join(parts)


def _remarks(tracks: Sequence[HistoryTrack], reference: Reference | None) -> Iterator[str]:
    """Name the steps in doubt and the pinned reference, and count the rows without a point against it."""
    if wandering := [track for track in tracks if track.series[-1].wanders]:
        named = join_and([f"{track.metric} of {printable(track.case)}" for track in wandering])
        yield f"? {named}: points resemble their neighbours, so no commit may have caused the steps"
    for track in tracks:
        for step in track.series[-1].unconfirmed:
            other = "measuring" if step.order == "commits" else "commits"
            what = f"{track.metric} of {printable(track.case)}: {describe_step(step)}"
            yield (
                f"? {what} looks like a step in the order of {step.order} but not of {other}, maybe by "
                "drift; `ab` with the commit before tells"
            )
    if reference is None:
        yield f"No reference is pinned; `{program_name()} history pin` does that."
        return
    why = f": {printable(reference.why)}" if reference.why else ""
    yield f"Reference {short_commit(reference.rev)} since {reference.since}{why}"
    if left := sum(track.series[-1].reference != reference.rev for track in tracks):
        yield f"{left} of {plural(len(tracks), 'row')} have no point against it yet."
