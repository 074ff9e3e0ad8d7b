"""The progress displays of runs and comparisons, on stderr: a drawing on a terminal, plain lines elsewhere.

Drawn between trials only: a refreshing thread would take processor time from the timed rounds.
"""

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Final

from rich.console import Console, RenderableType
from rich.control import Control
from rich.live import Live
from rich.segment import ControlType, Segment

from bench.model.cases import Experiment
from bench.model.comparison import Comparison
from bench.model.observer import MetricState, Observer, Stop
from bench.model.results import Measurement
from bench.model.text import plural, printable
from bench.report.number_format import format_duration
from bench.report.progress_state import ComparisonProgress, ProgressState, RunProgress
from bench.stats.comparison_state import RULE, rule_of
from bench.stats.sequential_test import blocks_to_alarm

_BREAKING: Final = frozenset(
    {
        "TMUX",
        "VTE_VERSION",
        "KITTY_WINDOW_ID",
        "WEZTERM_PANE",
        "KONSOLE_VERSION",
        "ITERM_SESSION_ID",
        "WT_SESSION",
    }
)
"""Variables of terminals that break long lines anew when their width changes, as xterm does not."""
_SILENT_S: Final = 10.0
"""Seconds between the lines of a block that takes long."""


class PlainProgress(Observer):
    """Prints a line for each block, failed trial, new verdict, and case that stops before the others."""

    def __init__(
        self, console: Console, state: ProgressState, clock: Callable[[], float] = monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self._printed_s = clock()
        self._state = state

    def run_started(
        self, experiment: Experiment, kept: Sequence[Measurement], stops: Mapping[str, Stop]
    ) -> None:
        """Begin with the trials and stops of a resumed run, if it is one."""
        self._state.start(experiment, kept, stops)

    def trial_started(self, case: str, block: int) -> None:  # noqa: ARG002  observers are told the case
        """Print the line of the block if there was no line for a while."""
        if self._clock() - self._printed_s > _SILENT_S:
            self._print(self._state.block_line(block))

    def trial_ended(self, measurement: Measurement) -> None:
        """Count the trial, and print a line if it failed."""
        if line := self._state.add(measurement):
            self._print(line, style="red")

    def case_stopped(self, case: str, stop: Stop) -> None:
        """Expect no more trials of the case, and print a line if it leaves before the others."""
        if line := self._state.stop(case, stop):
            self._print(line, style="" if stop.reason == "precise" else "red")

    def metrics_changed(self, metrics: Sequence[MetricState], spent_s: float) -> None:
        """Print a line for each new verdict."""
        for line in self._state.update(metrics, spent_s):
            self._print(line)

    def block_ended(self, block: int, machine: str = "") -> None:
        """Print the line of the block."""
        self._print(self._state.block_line(block, machine))

    def _print(self, line: str, style: str = "") -> None:
        self._printed_s = self._clock()
        self._console.print(
            printable(line), style=style, highlight=False, markup=False, emoji=False, soft_wrap=True
        )


class LiveProgress(PlainProgress):
    """Draws the state on a terminal before each trial; failures and stops are printed above the drawing.

    What is drawn already is not drawn again, as some terminals flicker.
    """

    def __init__(self, live: Live, state: ProgressState) -> None:
        super().__init__(live.console, state)
        self._live = live
        self._drawn: list[list[Segment]] = []
        self._width = live.console.width

    def trial_started(self, case: str, block: int) -> None:
        """Draw the state; the next drawing is after the trial."""
        drawing = self._state.drawing(case, block, self._console)
        lines = self._lines(drawing)
        if self._width != self._console.width or lines != self._drawn:
            self._erase_broken_lines()
            self._live.update(drawing, refresh=True)
            self._drawn, self._width = lines, self._console.width

    def metrics_changed(self, metrics: Sequence[MetricState], spent_s: float) -> None:
        """Take the metrics; the drawing shows them."""
        self._state.update(metrics, spent_s)

    def block_ended(self, block: int, machine: str = "") -> None:
        """Print nothing: the drawing shows the block."""

    def _print(self, line: str, style: str = "") -> None:
        self._erase_broken_lines()
        super()._print(line, style)
        self._drawn, self._width = self._lines(self._live.renderable), self._console.width

    def _lines(self, drawing: RenderableType) -> list[list[Segment]]:
        return self._console.render_lines(drawing, pad=False)

    def _erase_broken_lines(self) -> None:
        """Erase what a terminal that became narrower has added, as it broke the lines that were drawn.

        Others cut lines off, and have added nothing: what stands there is the user's.
        """
        if _BREAKING.isdisjoint(os.environ):
            return
        width = self._console.width
        added = sum(max(0, math.ceil(Segment.get_line_length(line) / width) - 1) for line in self._drawn)
        for _ in range(added):
            self._console.control(Control((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1)))


@contextmanager
def show_progress(comparison: Comparison | None, console: Console) -> Iterator[Observer]:
    """Yield the display of a comparison, or of another run, that fits the console."""
    state = RunProgress(monotonic) if comparison is None else ComparisonProgress(comparison)
    if console.is_terminal and console.file.isatty() and not console.is_dumb_terminal:
        with live_drawing(console) as live:
            yield LiveProgress(live, state)
    else:
        yield PlainProgress(console, state)


def live_drawing(console: Console) -> Live:
    """Return the place of the drawing on a terminal, which vanishes at the end; the caller enters it."""
    return Live(console=console, auto_refresh=False, transient=True)


def comparison_line(name: str, comparison: Comparison) -> str:
    """Describe the comparison of this name before its first trial, and how long it may take."""
    cases, metrics = len(comparison.margins), len(comparison.metrics)
    return (
        f"{printable(name)}: {printable(comparison.base)} against "
        f"{printable(comparison.candidate)}, "
        f"{plural(cases, 'case')} × {plural(metrics, 'metric')}; verdicts from block {RULE.looks[0]} on, "
        f"alarms from block {blocks_to_alarm(cases * metrics, rule_of(comparison))} on, for at most "
        f"{format_duration(comparison.budget_s)}"
    )


def unmatched_case_lines(comparison: Comparison) -> Iterator[str]:
    """Write a line for each case that is not compared, and one if the cases of the base are not known."""
    if comparison.unknown_base:
        reason = printable(comparison.unknown_base)
        yield f"warning: cases that only {printable(comparison.base)} has are not known: {reason}"
    for case, only in comparison.alone.items():
        status = "vanished" if only == comparison.base else "new"
        yield f"{status}: {printable(case)} exists only in {printable(only)} and is not compared"
