"""How far a run is: a live line on a terminal, one plain line a block elsewhere. Always on stderr.

Drawn between trials only: a refreshing thread would take processor time from what is timed.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from bench.model.cases import Case, Experiment
from bench.model.results import Measurement
from bench.model.text import printable
from bench.report.number_format import format_duration
from bench.report.progress_state import ProgressState
from bench.report.stop_reasons import stop_words
from bench.stats.observer import Observer
from bench.stats.retries import is_final
from bench.stats.stopping_rule import Reason, Stop

_LEAVES_ALONE: Final[frozenset[Reason]] = frozenset({"precise", "given up"})
"""The other reasons end the run for all cases at once."""


class PlainProgress(Observer):
    """Progress where nobody watches: one line a block, and one for each failed trial."""

    def __init__(self, console: Console, race: ProgressState) -> None:
        self._console = console
        self._race = race

    def run_started(self, experiment: Experiment) -> None:
        """Take the number of trials and the time."""
        self._race.start(experiment)

    def run_resumed(self, kept: Sequence[Measurement], stops: Iterable[Stop]) -> None:
        """Count what there was before."""
        self._race.resume(kept, stops)

    def trial_ended(self, measurement: Measurement) -> None:
        """Count the trial; a failed one is named at once."""
        self._race.add(measurement)
        if measurement.outcome != "ok":
            self._say(failure_line(measurement))

    def case_stopped(self, case: Case, stop: Stop) -> None:
        """Expect fewer trials; a case that leaves before the others is named."""
        self._race.stop(stop)
        if stop.reason in _LEAVES_ALONE:
            self._say(_departure(case, stop))

    def block_ended(self, block: int) -> None:
        """Write the line of the block."""
        race = self._race
        left_s = race.left_s()
        up_to, about = ("up to ", "up to") if race.is_open else ("", "about")
        left = f", {about} {format_duration(left_s)} left" if left_s else ""
        trials = f"{race.done} of {up_to}{race.trials} trials{left}"
        self._say(f"block {block + 1} of {up_to}{race.blocks}: {trials}; leader: {race.leader()}")

    def _say(self, line: str) -> None:
        self._console.print(printable(line), highlight=False, markup=False, emoji=False, soft_wrap=True)


class LiveProgress(Observer):
    """Progress on a terminal: block, trials, time left, current leader, and the case that runs."""

    def __init__(self, progress: Progress, race: ProgressState) -> None:
        self._progress = progress
        self._race = race
        self._task = progress.add_task("", total=None, block="", left="", leader="")

    def run_started(self, experiment: Experiment) -> None:
        """Take the number of trials and the time."""
        self._race.start(experiment)

    def run_resumed(self, kept: Sequence[Measurement], stops: Iterable[Stop]) -> None:
        """Count what there was before."""
        self._race.resume(kept, stops)

    def trial_started(self, case: Case, block: int) -> None:
        """Draw the line; the next drawing is after the trial."""
        race = self._race
        left_s = race.left_s()
        self._progress.update(
            self._task,
            total=race.trials,
            completed=race.done,
            description=printable(case.id),
            block=f"{block + 1}/{race.blocks}",
            left=""
            if left_s is None
            else f"{'up to ' if race.is_open else ''}{format_duration(left_s)} left",
            leader=printable(race.leader()),
            refresh=True,
        )

    def trial_ended(self, measurement: Measurement) -> None:
        """Count the trial; a failed one is named at once, above the line."""
        self._race.add(measurement)
        if measurement.outcome != "ok":
            self._say(failure_line(measurement), style="red")

    def case_stopped(self, case: Case, stop: Stop) -> None:
        """Expect fewer trials; a case that leaves before the others is named, above the line."""
        self._race.stop(stop)
        if stop.reason in _LEAVES_ALONE:
            self._say(_departure(case, stop), style="red" if stop.reason == "given up" else "")

    def _say(self, line: str, style: str) -> None:
        self._progress.console.print(printable(line), style=style, highlight=False, markup=False, emoji=False)


def live_line(console: Console) -> Progress:
    """Lay out the live line; the caller enters and leaves it."""
    return Progress(
        TextColumn("block {task.fields[block]}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}\n{task.description}\nleader: {task.fields[leader]}", markup=False),
        console=console,
        auto_refresh=False,
        transient=True,
    )


def failure_line(measurement: Measurement) -> str:
    """Tell of a failed trial in one line."""
    where = f"{measurement.case}, block {measurement.block + 1}"
    again = "" if is_final(measurement) else "; it is repeated"
    return f"{where}: {measurement.outcome}: {measurement.detail}{again}"


def _departure(case: Case, stop: Stop) -> str:
    return f"{case.id}: {stop_words(stop)}"
