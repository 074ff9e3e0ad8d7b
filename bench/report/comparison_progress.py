"""How a contest goes on: a table that narrows on a terminal, one plain line a block elsewhere; on stderr.

Drawn between duets only: a refreshing thread would take processor time from what is timed.
"""

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.live import Live
from rich.table import Table as RichTable
from rich.text import Text

from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison
from bench.model.results import Measurement
from bench.model.text import plural, printable
from bench.report.number_format import MISSING, format_change, format_change_interval, format_duration
from bench.report.progress import failure_line
from bench.stats.comparison_state import RULE, ComparisonState, Question
from bench.stats.observer import Observer
from bench.stats.sequential_test import blocks_to_alarm


def announcement(experiment: Experiment, contest: Comparison) -> Iterator[str]:
    """Say what is about to be compared, and how long that may take."""
    cases, metrics = len(contest.margins), len(contest.metrics)
    total = cases * metrics
    yield (
        f"{printable(experiment.name)}: {printable(contest.base)} against {printable(contest.candidate)}, "
        f"{plural(cases, 'case')} × {plural(metrics, 'metric')}; verdicts from block {RULE.looks[0]} on, "
        f"alarms from block {blocks_to_alarm(total, RULE)} on, "
        f"for {format_duration(contest.budget_s)} at the most"
    )
    for case, only in contest.alone.items():
        lost = "vanished" if only == contest.base else "new"
        yield f"{lost}: {printable(case)} is in {printable(only)} alone, and is not compared"


class Failures:
    """Tells of failed trials, and of what spoilt both sides of a duet only once."""

    def __init__(self) -> None:
        self._last = ("", "")

    def line(self, trial: Measurement) -> str:
        """Return what is to be said of a trial, if anything is."""
        if trial.outcome == "ok":
            return ""
        case, _, _ = trial.case.rpartition("@")
        line = failure_line(replace(trial, case=case) if trial.outcome == "invalid" else trial)
        where = f"{case} {trial.block} {trial.attempt}"
        before, self._last = self._last, (where, line)
        return "" if before == self._last else line


class PlainComparison(Observer):
    """Progress where nobody watches: one line a block, one for each verdict and each failed trial."""

    def __init__(self, console: Console, contest: Comparison) -> None:
        self._console = console
        self._contest = contest
        self._told: set[Question] = set()
        self._open = 0
        self._failures = Failures()

    def trial_ended(self, measurement: Measurement) -> None:
        """Name a failed one at once."""
        if line := self._failures.line(measurement):
            self._say(line)

    def contest_stands(self, tally: ComparisonState) -> None:
        """Tell of new verdicts."""
        questions = [(case, metric) for case in self._contest.margins for metric in self._contest.metrics]
        new = [each for each in questions if tally.is_decided(each) and each not in self._told]
        for case, metric in new:
            found = tally.decisions[case, metric]
            self._say(
                f"{case}: {metric} {found.verdict}: {format_change(found.ratio.estimate)} "
                f"({format_change_interval(found.ratio)}) after {plural(found.blocks, 'block')}"
            )
        self._told |= {*new}
        self._open = len(questions) - len(self._told)

    def block_ended(self, block: int) -> None:
        """Write the line of the block."""
        self._say(f"block {block + 1}: {plural(self._open, 'metric')} undecided")

    def _say(self, line: str) -> None:
        self._console.print(printable(line), highlight=False, markup=False, emoji=False, soft_wrap=True)


class LiveComparison(Observer):
    """Progress on a terminal: each metric with its estimate, its bounds and its verdict."""

    def __init__(self, live: Live, contest: Comparison) -> None:
        self._live = live
        self._contest = contest
        self._running = ""
        self._block = 0
        self._tally: ComparisonState | None = None
        self._failures = Failures()

    def contest_stands(self, tally: ComparisonState) -> None:
        """Take what is known by now."""
        self._tally = tally

    def trial_started(self, case: Case, block: int) -> None:
        """Draw the table; the next drawing is after the duet."""
        self._running, self._block = case.id, block
        self._live.update(self._table(), refresh=True)

    def trial_ended(self, measurement: Measurement) -> None:
        """Name a failed one at once, above the table."""
        if line := self._failures.line(measurement):
            self._live.console.print(printable(line), style="red", highlight=False, markup=False, emoji=False)

    def _table(self) -> RichTable:
        tally = self._tally
        spent = format_duration(0.0 if tally is None else tally.spent_s)
        table = RichTable(
            box=None,
            pad_edge=False,
            title_justify="left",
            title=f"block {self._block + 1}, {spent} of {format_duration(self._contest.budget_s)}",
        )
        for heading in ("", "change", "bounds", "blocks", "verdict"):
            is_text = heading in {"", "verdict"}
            table.add_column(heading, justify="left" if is_text else "right", no_wrap=True)
        for case in self._contest.margins:
            table.add_row(Text(printable(case), style="bold"))
            for metric in self._contest.metrics:
                table.add_row(f"  {metric}", *self._cells((case, metric)))
        return table

    def _cells(self, question: Question) -> tuple[str, ...]:
        found = None if self._tally is None else self._tally.decisions.get(question)
        if found is None or self._tally is None:
            return (MISSING, MISSING, "0", "")
        left = self._tally.left.get(question[0])
        verdict = found.verdict or ("" if left is None else left)
        running = "…" if question[0] == self._running and not verdict else verdict
        return (
            format_change(found.ratio.estimate),
            format_change_interval(found.ratio),
            str(found.blocks),
            running,
        )


def live_table(console: Console) -> Live:
    """Lay out the live table; the caller enters and leaves it."""
    return Live(console=console, auto_refresh=False, transient=True)
