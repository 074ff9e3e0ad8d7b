"""List every chart by its name, in the order of the report.

To add a chart, write a function in ``bench.report.html.charts`` and add it to `CHARTS` where a reader would
look for it: the page, ``report --chart`` and docs/report.md follow this list.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from altair.utils.schemapi import debug_mode

from bench.errors import UsageError
from bench.model.text import join_or
from bench.report.html.charts.breakdown import draw_breakdown
from bench.report.html.charts.distributions import draw_elapsed_distribution, draw_latency_distribution
from bench.report.html.charts.drift import draw_drift
from bench.report.html.charts.elapsed import draw_elapsed
from bench.report.html.charts.failures import draw_failed_fetches, draw_failed_trials
from bench.report.html.charts.over_axis import draw_over_axis
from bench.report.html.charts.ratios import draw_ratios, draw_run_ratios
from bench.report.html.charts.requests import draw_requests
from bench.report.html.charts.resources import draw_cpu, draw_memory
from bench.report.html.charts.scaling import draw_scaling
from bench.report.html.charts.thresholds import draw_thresholds
from bench.report.html.drawing import Drawing, Note
from bench.report.html.subject import Subject


@dataclass(frozen=True, slots=True)
class ChartKind:
    """A kind of chart, of which a report has one for each profile.

    Attributes:
        title: heading of its section.
        reading: one sentence on how to read it.
        draw: yields its drawings, and notes on what is not drawn; nothing where there are no data for it.
        reading_of_target: the same sentence for a target, which has no ideal and no log of its server.
    """

    title: str
    reading: str
    draw: Callable[[Subject], Iterator[Drawing | Note]]
    reading_of_target: str = ""

    def reading_of(self, subject: Subject) -> str:
        """Return the sentence for a subject."""
        is_target = all(case.profile.server for run in subject.runs for case in run.cases)
        return self.reading_of_target if is_target and self.reading_of_target else self.reading


CHARTS: Final[Mapping[str, ChartKind]] = {
    "ratios": ChartKind(
        "What has changed",
        "A dot is the change of a metric and its bar what the blocks leave possible: all of it right of"
        " zero is slower, all of it left of zero faster, and all of it within the grey margin "
        "equivalent.",
        draw_ratios,
    ),
    "run-ratios": ChartKind(
        "Against the first run",
        "A dot is the change of a case and its bar what the noise within both runs leaves possible if they"
        " vary alike; it does not know how the machine was in another session, so there is no verdict.",
        draw_run_ratios,
    ),
    "thresholds": ChartKind(
        "Thresholds",
        "A dot is a measured figure with its 95% interval, as a share of its threshold, which is the "
        "upright line: left of it is good where the threshold says <, and right of it where it says >.",
        draw_thresholds,
    ),
    "downloads": ChartKind(
        "Time by number of downloads",
        "The lower a point, the faster; a dotted upright line marks the number of downloads at which one "
        "series is shown to overtake another.",
        partial(draw_over_axis, name="downloads"),
    ),
    "work": ChartKind(
        "Time by CPU work on each flag",
        "The lower a point, the faster; a dotted upright line marks how often the work is done where one "
        "series is shown to overtake another.",
        partial(draw_over_axis, name="work"),
    ),
    "elapsed": ChartKind(
        "Elapsed time",
        "The further left, the faster: a dot is the median of a case, its bar the 95% interval, a faint"
        " tick one block, and the upright mark the ideal by the times that the server really took, which "
        "nothing can beat.",
        draw_elapsed,
        "The further left, the faster: a dot is the median of a case, its bar the 95% interval, and a faint"
        " tick one block.",
    ),
    "breakdown": ChartKind(
        "Where the time goes",
        "Each bar is as long as a mean round: first the planned ideal, which knows the delays that the "
        "server was asked for and not how late it was, then what was added to it, so look for the longest "
        "part behind it.",
        draw_breakdown,
    ),
    "scaling": ChartKind(
        "Scaling",
        "A line that falls as steeply as the dashed planned ideal gains from every worker; a ring marks the "
        "knee, beyond which a gain of 5% is no longer shown.",
        draw_scaling,
        "The steeper a line falls, the more it gains from each worker; a ring marks the knee, beyond which a "
        "gain of 5% is no longer shown.",
    ),
    "distribution": ChartKind(
        "Distribution of elapsed times",
        "A line shows the share of rounds that took no longer than the time below it: the further left the "
        "faster, the steeper the steadier.",
        draw_elapsed_distribution,
    ),
    "latency": ChartKind(
        "Distribution of latencies",
        "A line shows the share of fetches that took no longer than the time below it, and bends to the "
        "right where the tail begins; with few fetches at once each is quick, although the round is slow.",
        draw_latency_distribution,
    ),
    "requests": ChartKind(
        "Requests of a typical trial",
        "Each row is one download: the wide bar is its whole time at the client, the narrow bar within it "
        "the time at the server, and wide without narrow was spent outside the server: connecting, or "
        "waiting for the client.",
        draw_requests,
        "Each row is one download, and its bar the time of it at the client.",
    ),
    "cpu": ChartKind(
        "Processor time",
        "A bar is the processor time of the client in a round, first in its own code and then in the "
        "kernel; near 100% of a core the client itself is the limit.",
        draw_cpu,
    ),
    "memory": ChartKind(
        "Memory",
        "A bar is the most memory that the client's processes held in a warm-up, the interpreter included.",
        draw_memory,
    ),
    "failed-trials": ChartKind(
        "Failed trials",
        "A bar counts the trials of a case without a timing, by the way they ended.",
        draw_failed_trials,
    ),
    "failed-fetches": ChartKind(
        "Fetches that did not succeed",
        "A bar counts the fetches of the timed rounds that ended otherwise than with the flag, by the "
        "way they ended, as the faults of the profile had planned.",
        draw_failed_fetches,
        "A bar counts the fetches of the timed rounds that ended otherwise than with the file, by the way "
        "they ended.",
    ),
    "drift": ChartKind(
        "Drift over the blocks",
        "A point is one block of a case against the median of that case, and the line the middle of all "
        "cases: where it leaves zero, the machine as a whole was slower or faster.",
        draw_drift,
    ),
}
"""The charts by name, in the order of the report."""


@dataclass(frozen=True, slots=True)
class DrawnKind:
    """The charts of one kind by their anchors, and the notes on what is not drawn."""

    drawings: Mapping[str, Drawing]
    notes: tuple[str, ...]


def draw_charts(subject: Subject) -> Mapping[str, DrawnKind]:
    """Draw all charts; return each kind that has charts or notes by its name."""
    found = {name: draw_kind(subject, name) for name in CHARTS}
    return {name: drawn for name, drawn in found.items() if drawn.drawings or drawn.notes}


def draw_kind(subject: Subject, name: str) -> DrawnKind:
    """Draw the charts of one kind."""
    with debug_mode(arg=False):  # tests check all specifications: here that takes seconds
        found = list(CHARTS[name].draw(subject))
    drawings = [each for each in found if isinstance(each, Drawing)]
    return DrawnKind(
        {anchor_of(name, number): drawing for number, drawing in enumerate(drawings, 1)},
        tuple(each.text for each in found if isinstance(each, Note)),
    )


def anchor_of(name: str, number: int) -> str:
    """Return the anchor of a chart of this name, counted from 1."""
    return name if number == 1 else f"{name}-{number}"


def find_chart(subject: Subject, anchor: str) -> tuple[ChartKind, Drawing]:
    """Return the chart of an anchor.

    Raises:
        UsageError: there is no such chart, or it has no data.
    """
    name = anchor if anchor in CHARTS else anchor.rpartition("-")[0]
    if name not in CHARTS:
        raise UsageError(f"there is no chart {anchor!r}", hint=f"choose from {join_or(CHARTS)}")
    drawn = draw_kind(subject, name)
    if not drawn.drawings:
        reason = drawn.notes[0] if drawn.notes else f"the run has no data for the chart {name}"
        raise UsageError(reason.removesuffix("."), hint="choose another chart")
    if anchor not in drawn.drawings:
        raise UsageError(f"there is no chart {anchor!r}", hint=f"there are {join_or(drawn.drawings)}")
    return CHARTS[name], drawn.drawings[anchor]
