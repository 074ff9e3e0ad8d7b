"""The history of each case as a sheet: a row a metric, with its trend, its last change and its last step."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from rich.console import Console

from bench.model.text import join_and, plural, printable
from bench.report.comparison_table import bounds, change, shown_commit
from bench.report.number_format import NOTHING, share
from bench.report.sparkline import BREAK, broken, can_draw, plainer
from bench.report.table import ReportTable, Section, print_table, text_width
from bench.stats.change_points import ALPHA, LEAST_POINTS
from bench.stats.history import HistoryTrack, Point, Series
from bench.stats.intervals import Interval
from bench.storage.pinned_reference import Reference

_LEAST_RANGE: Final = 0.05
"""Of a trend, as a logarithm; what is less is drawn smaller than the whole height."""
_LEAST_TREND: Final = 8
_MOST_TREND: Final = 60
_SHOWN_MACHINE: Final = 12
_SHOWN_SETTINGS: Final = 7
_DAY: Final = 10


def print_history(tracks: Sequence[HistoryTrack], reference: Reference | None, console: Console) -> None:
    """Print tracks in rows that fit the console, in ASCII where it has nothing else."""
    sheet = history_table(tracks, reference, console.width)
    print_table(sheet if can_draw(console) else _plainer(sheet), console)


def history_table(tracks: Sequence[HistoryTrack], reference: Reference | None, width: int) -> ReportTable:
    """Lay tracks out below headings that say what they are of and against which commit."""
    columns = ("", "trend", "points", "last\nchange", "bounds", "last step")
    sections = [
        (heading, list(each)) for heading, each in groupby(tracks, key=lambda track: _heading(track, tracks))
    ]
    figures = [_figures(track) for track in tracks]
    others = [text_width(heading) for heading in columns[2:]]
    names = max(map(len, (_name(track) for track in tracks)), default=0)
    taken = names + sum(
        max(other, *(text_width(row[place]) for row in figures)) for place, other in enumerate(others)
    )
    room = min(max(width - taken - len(columns) + 1, _LEAST_TREND), _MOST_TREND)
    return ReportTable(
        title="History of candidate ÷ reference",
        columns=columns,
        sections=tuple(
            Section(heading, tuple((_name(track), _trend(track, room), *_figures(track)) for track in each))
            for heading, each in sections
        ),
        legend=_legend(tracks),
        remarks=tuple(_remarks(tracks, reference)),
    )


def _heading(track: HistoryTrack, tracks: Sequence[HistoryTrack]) -> str:
    """Name what a track is of; machine, config and settings only where there are several."""
    parts = [printable(track.case), f"against {shown_commit(track.series[-1].reference)}"]
    if len({each.config for each in tracks}) > 1:
        parts.append(f"config {printable(track.config)}")
    if len({each.settings for each in tracks if (each.case, each.config) == (track.case, track.config)}) > 1:
        parts.append(f"settings {printable(track.settings[:_SHOWN_SETTINGS])}")
    if len({each.fingerprint for each in tracks}) > 1:
        parts.append(f"machine {printable(track.fingerprint[:_SHOWN_MACHINE])}")
    return ", ".join(parts)


def _name(track: HistoryTrack) -> str:
    return f"  {track.metric}"


def _trend(track: HistoryTrack, room: int) -> str:
    return broken([[point.log_ratio for point in each.points] for each in track.series], _LEAST_RANGE, room)


def _figures(track: HistoryTrack) -> tuple[str, ...]:
    """Write what stands beside the trend: all of the present reference."""
    series = track.series[-1]
    last = series.points[-1]
    return (
        f"{len(series.points):,}",
        change(last.ratio),
        bounds(Interval(last.ratio, last.low, last.high)),
        _last_step(series),
    )


def _last_step(series: Series) -> str:
    if not series.steps:
        return NOTHING
    step = series.steps[-1]
    return f"{change(step.ratio)} {_day(step.point)} {shown_commit(step.point.commit)}"


def _day(point: Point) -> str:
    return point.time[:_DAY]


def _legend(tracks: Sequence[HistoryTrack]) -> str:
    step = f"last step: new level against the old one; by chance in {share(ALPHA)} of series"
    parts = [
        "trend: a bar a point or, of many, the median of several, the newest last",
        "last change: of the newest point, with the bounds that its contest looked at",
        f"{step}, and it takes {LEAST_POINTS} points",
    ]
    if any(len(track.series) > 1 for track in tracks):
        parts.insert(1, f"{BREAK} another reference, with which no point before it compares")
    return "; ".join(parts)


def _remarks(tracks: Sequence[HistoryTrack], reference: Reference | None) -> Iterator[str]:
    """Say which steps are in doubt, what is pinned, and of what nothing was measured against it yet."""
    if wandering := [track for track in tracks if track.series[-1].wanders]:
        named = join_and([f"{track.metric} of {printable(track.case)}" for track in wandering])
        yield f"? {named}: points resemble their neighbours, so the steps may be nobody's doing"
    if reference is None:
        yield "No reference is pinned; `flagbench history pin` does that."
        return
    why = f": {printable(reference.why)}" if reference.why else ""
    yield f"Reference {shown_commit(reference.rev)} since {reference.since}{why}"
    if left := sum(track.series[-1].reference != reference.rev for track in tracks):
        yield f"{left} of {plural(len(tracks), 'row')} have no point against it yet."


def _plainer(sheet: ReportTable) -> ReportTable:
    return replace(
        sheet,
        title=plainer(sheet.title.replace("÷", "/")),
        sections=tuple(
            Section(plainer(each.heading), tuple(tuple(map(plainer, row)) for row in each.rows))
            for each in sheet.sections
        ),
        legend=plainer(sheet.legend),
        remarks=tuple(map(plainer, sheet.remarks)),
    )
