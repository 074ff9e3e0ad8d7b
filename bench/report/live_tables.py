"""Draw what is still measured: the cases of a run, or the metrics of a comparison, on one screen."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.segment import Segment, SegmentLines
from rich.table import Table as Grid
from rich.text import Text

from bench.model.cases import Case
from bench.model.comparison import Comparison
from bench.model.observer import MetricState, Stop, StopReason
from bench.model.text import plural, printable
from bench.report.case_label import client_label, describe_conditions, workers_label
from bench.report.number_format import (
    MISSING,
    format_change,
    format_change_interval,
    format_duration,
    format_half_width,
    format_small_percent,
)
from bench.report.sparkline import draw_length
from bench.report.table import Column, Remark, Row, Section, Table
from bench.report.terminal import lay_out
from bench.stats.intervals import Interval, median_interval

_PROGRESS_WIDTH: Final = 16
_FIXED_WIDTH: Final = 75
"""Cells that the other columns take, roughly; the bar of a case takes the others."""
_LEAST_BAR, _MOST_BAR = 4, 24
_STOPPED: Final[Mapping[StopReason, str]] = {
    "precise": "precise enough",
    "decided": "decided",
    "blocks": "done",
    "budget": "done",
    "given up": "given up",
    "disturbed": "disturbed",
}
_MOST_GUESSES: Final = 4
_HALF_SCALE: Final = 12
_MARGIN: Final = 4
"""Cells of a margin on the scale of an interval, which therefore reaches three margins to both sides."""


@dataclass(frozen=True, slots=True)
class Head:
    """The content of the lines above the table.

    Attributes:
        words: the blocks, and whatever else fits in a line.
        done: the part that is done, from 0 to ``total``.
        left: how much is left, in words; empty if it is not known.
        now: the id of the case that is measured now, or what the machines of a cluster do.
        warning: what makes the figures less certain; empty for nothing.
    """

    words: str
    done: float
    total: float
    left: str
    now: str
    warning: str = ""


@dataclass(frozen=True, slots=True)
class LiveCase:
    """A case of a run that is still measured.

    Attributes:
        values_s: a figure for each block: the time of a round, and in an open loop the 99th percentile.
        has_failed: whether a trial failed.
        stop: why it is no longer run; None: it is.
    """

    case: Case
    values_s: Sequence[float]
    has_failed: bool = False
    stop: Stop | None = None


def draw_run(head: Head, cases: Sequence[LiveCase], console: Console) -> RenderableType:
    """Draw a run: cases that are measured under the same conditions below each other, the fastest first."""
    bar = min(max(console.width - _FIXED_WIDTH, _LEAST_BAR), _MOST_BAR)
    by_conditions: dict[str, list[LiveCase]] = {}
    for each in cases:
        by_conditions.setdefault(describe_conditions(each.case), []).append(each)
    has_several = len(by_conditions) > 1
    sections = tuple(
        Section(conditions if has_several else "", tuple(_case_rows(group, head.now, bar)))
        for conditions, group in by_conditions.items()
    )
    is_open_loop = any(each.case.rate for each in cases)
    table = Table(
        columns=(
            Column("strategy", "left"),
            Column("client", "left"),
            Column("workers"),
            Column("p99" if is_open_loop else "time"),
            Column("95%"),
            Column("", "left", is_optional=True),
            Column("blocks"),
            Column("", "left"),
        ),
        sections=sections,
        keys=3,
    )
    return _below(head, table, console, "other condition")


def draw_comparison(
    head: Head,
    comparison: Comparison,
    metrics: Sequence[MetricState],
    stops: Mapping[str, Stop],
    console: Console,
) -> RenderableType:
    """Draw a comparison: the interval of each metric against its margin, cases with undecided ones first."""
    by_case = {case: [each for each in metrics if each.case == case] for case in comparison.margins}
    ordered = sorted(by_case, key=lambda case: case in stops or all(each.verdict for each in by_case[case]))
    sections = tuple(
        Section(
            f"{printable(case)}, margin {format_small_percent(comparison.margins[case])}",
            tuple(
                _metric_row(each, comparison.margins[case], _open_words(case, stops, head.now))
                for each in by_case[case]
            ),
        )
        for case in ordered
    )
    table = Table(
        columns=(
            Column("metric", "left"),
            Column("interval", "left"),
            Column("change"),
            Column("bounds"),
            Column("blocks"),
            Column("verdict", "left"),
        ),
        sections=sections,
        legend=f"{_NO_CHANGE} no change  {_AT_MARGIN} margin  {_BELOW} {_ABOVE} beyond three margins",
    )
    return _below(head, table, console, "other case")


def _below(head: Head, table: Table, console: Console, others: str) -> RenderableType:
    """Draw as many rows as the screen has room for."""
    above = [*_head_lines(head, console.width), Text("")]
    room = max(1, console.height - 1)

    def lines(size: int) -> list[list[Segment]]:
        drawing = Group(*above, lay_out(_shorten(table, size, others), console.width))
        return console.render_lines(drawing, pad=False)

    whole = _largest(lines, _most(table), room, is_small=_least_lines(table) <= room)
    if not whole:
        head_alone = Group(*above[: min(room, len(above) - 1)])
        whole = console.render_lines(head_alone, pad=False)
    return SegmentLines(whole, new_lines=True)


def _largest(
    lines: Callable[[int], list[list[Segment]]], most: int, room: int, *, is_small: bool
) -> list[list[Segment]]:
    """Return the lines of the largest size that fits; none if there is no such size.

    Drawing takes time, so the next size is guessed from the numbers of lines of the last two drawings. After
    some guesses, the range of sizes that are still possible is halved.

    Args:
        lines: draws a size, from 0 to ``most``; a larger size has no fewer lines.
        most: the size of the whole table.
        room: how many lines fit.
        is_small: whether the whole table probably fits.
    """
    fits, too_large, found = -1, most + 1, list[list[Segment]]()
    drawn: list[tuple[int, int]] = []
    size = most if is_small else 0
    while too_large - fits > 1:
        drawing = lines(size)
        drawn.append((size, len(drawing)))
        if len(drawing) > room:
            too_large = size
        else:
            fits, found = size, drawing
            if len(drawing) == room:
                break
        guess = _guess(drawn, room) if len(drawn) <= _MOST_GUESSES else (fits + too_large) // 2
        size = min(max(guess, fits + 1), too_large - 1)
    return found


def _guess(drawn: Sequence[tuple[int, int]], room: int) -> int:
    """Guess the size that fits from the sizes that were drawn and their numbers of lines."""
    size, height = drawn[-1]
    if len(drawn) == 1:
        return size + 1 if height < room else size - (height - room)
    before, height_before = drawn[-2]
    step = max(1.0, (height - height_before) / (size - before))
    return size + math.floor((room - height) / step)


def _head_lines(head: Head, width: int) -> Iterator[RenderableType]:
    """Write a bar with all words beside it, or some of them below it where there is no room."""
    words, left = printable(head.words), printable(head.left)
    taken = len(words) + 1 + _PROGRESS_WIDTH
    has_bar, has_left = taken <= width, taken + 1 + len(left) <= width
    if has_bar:
        line = Grid.grid(padding=(0, 1))
        bar = ProgressBar(max(head.total, 1e-9), head.done, width=_PROGRESS_WIDTH)
        line.add_row(Text(words), bar, *([Text(left)] if has_left else []))
        yield line
    else:
        yield _line(words)
    if not has_left:
        yield _line(left)
    yield _line(f"now: {printable(head.now)}", "dim")
    if head.warning:
        yield _line(head.warning, "yellow")


def _line(text: str, style: str = "") -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis", style=style)


def _least_lines(table: Table) -> int:
    """Return how many lines a whole table has at least."""
    return sum(1 + len(section.rows) for section in table.sections)


def _most(table: Table) -> int:
    """Return the size of a whole table for ``_shorten``."""
    return len(table.sections) + max((len(section.rows) for section in table.sections), default=0) - 1


def _shorten(table: Table, size: int, others: str) -> Table:
    """Keep a part of a table that grows with a size: first a row of each section, then more rows of all."""
    most_sections = len(table.sections)
    kept, rows = min(size + 1, most_sections), max(1, size + 2 - most_sections)
    sections = tuple(_first_rows(section, rows) for section in table.sections[:kept])
    remarks = table.remarks
    if left := most_sections - kept:
        remarks = (*remarks, Remark(f"… {plural(left, others)}", "note"))
    return replace(table, sections=sections, remarks=remarks)


def _first_rows(section: Section, count: int) -> Section:
    left = len(section.rows) - count
    if left <= 1:  # the last row takes no more room than a line that counts it
        return section
    more = Row((f"… {left} more", *[""] * (len(section.rows[0].cells) - 1)))
    return replace(section, rows=(*section.rows[:count], more))


def _case_rows(cases: Sequence[LiveCase], now: str, bar: int) -> Iterator[Row]:
    known = [(each, median_interval(each.values_s)) for each in cases if each.values_s]
    longest_s = max((interval.estimate for _, interval in known), default=0.0)
    for each, interval in sorted(known, key=lambda pair: pair[1].estimate):
        length = draw_length(interval.estimate / longest_s, bar)
        figures = (format_duration(interval.estimate), format_half_width(interval), length)
        yield _case_row(each, figures, now)
    for each in cases:
        if not each.values_s:
            yield _case_row(each, (MISSING, "", ""), now)


def _case_row(each: LiveCase, figures: tuple[str, str, str], now: str) -> Row:
    case, stop = each.case, each.stop
    state = "measuring" if case.id == now else ""
    if stop is not None:
        state = _STOPPED[stop.reason]
    names = (printable(case.strategy), client_label(case), workers_label(case))
    return Row(
        (*names, *figures, str(len(each.values_s)), state),
        mark="!" if each.has_failed else "",
        tone="bad" if each.has_failed else "plain",
    )


def _open_words(case: str, stops: Mapping[str, Stop], now: str) -> str:
    """Say what becomes of a metric without a verdict."""
    return stops[case].reason if case in stops else "measuring" if case == now else ""


def _metric_row(metric: MetricState, margin: float, undecided: str) -> Row:
    if metric.ratio is None:
        return Row((metric.metric, draw_interval(None, margin), MISSING, MISSING, "0", undecided))
    interval = Interval(metric.ratio, metric.low, metric.high)
    return Row(
        (
            metric.metric,
            draw_interval(interval, margin),
            format_change(metric.ratio),
            format_change_interval(interval),
            str(metric.blocks),
            metric.verdict or undecided,
        ),
        tone={"slower": "bad", "faster": "best", "equivalent": "good"}.get(metric.verdict or "", "plain"),  # type: ignore[arg-type]
    )


_NO_CHANGE, _AT_MARGIN, _ESTIMATE, _INSIDE, _BELOW, _ABOVE = "┊│●━◂▸"


def draw_interval(ratio: Interval | None, margin: float) -> str:
    """Draw the interval of a ratio on a scale of three margins to both sides of no change.

    Args:
        ratio: candidate ÷ base; without bounds only its estimate is drawn; None: nothing but the scale is.
        margin: the largest change that is still equivalent, as a share.
    """
    cells = [" "] * (2 * _HALF_SCALE + 1)
    cells[_HALF_SCALE] = _NO_CHANGE
    cells[_HALF_SCALE - _MARGIN] = cells[_HALF_SCALE + _MARGIN] = _AT_MARGIN
    if ratio is None:
        return "".join(cells)
    low, middle, high = (
        _HALF_SCALE
        + round(math.log(ratio.estimate if bound is None else bound) / math.log1p(margin) * _MARGIN)
        for bound in (ratio.low, ratio.estimate, ratio.high)
    )
    last = len(cells) - 1
    for place in range(max(low, 0), min(high, last) + 1):
        cells[place] = _INSIDE
    if low < 0:
        cells[0] = _BELOW
    if high > last:
        cells[last] = _ABOVE
    if 0 <= middle <= last:
        cells[middle] = _ESTIMATE
    return "".join(cells)
