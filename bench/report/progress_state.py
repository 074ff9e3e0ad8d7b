"""The state of a progress display.

It has the lines and the drawing of a run, or of a comparison, so far.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import TypeAlias

from rich.console import Console, RenderableType

from bench.model.cases import Case, Experiment
from bench.model.comparison import Comparison, Metric
from bench.model.observer import MetricState, Stop
from bench.model.results import Measurement
from bench.model.text import plural
from bench.report.busy_machine import BUSY
from bench.report.live_tables import Head, LiveCase, draw_comparison, draw_run
from bench.report.number_format import MISSING, format_change, format_change_interval, format_duration
from bench.report.stop_reasons import stop_words
from bench.stats.intervals import Interval, block_value
from bench.stats.metrics import metric_value
from bench.stats.retries import is_final


class _OtherProcesses:
    """Adds up how much other processes used the processors of the trials."""

    def __init__(self) -> None:
        self._took_s = self._used_s = 0.0

    def add(self, measurement: Measurement) -> None:
        """Count a trial that succeeded."""
        if measurement.outcome == "ok" and measurement.conditions is not None:
            self._took_s += measurement.took_s
            self._used_s += measurement.took_s * measurement.conditions.strangers

    def warning(self) -> str:
        """Say how much it is; nothing on a quiet machine."""
        cores = self._used_s / self._took_s if self._took_s else 0.0
        return f"busy machine: other processes have used {cores:.2g} cores so far" if cores >= BUSY else ""


class RunProgress:
    """Counts the trials of a run, and predicts the time left.

    Attributes:
        blocks: the most blocks there can be.
        trials: the most trials there can be.
        done: number of finished trials; one that is repeated counts once.
        is_open: whether the measurements may end the run earlier.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started_s = clock()
        self._values_s: dict[str, list[float]] = {}
        self._cases: Mapping[str, Case] = {}
        self._failed: set[str] = set()
        self._others = _OtherProcesses()
        self._stops: dict[str, Stop] = {}
        self._latest: Case | None = None
        self._budget_s: float | None = None
        self._least_trials = 0
        self._kept = 0
        self.blocks = self.trials = self.done = 0
        self.is_open = False

    def start(self, experiment: Experiment, kept: Sequence[Measurement], stops: Mapping[str, Stop]) -> None:
        """Take the number of trials; the pace is that of the trials to come."""
        self._started_s = self._clock()
        self._cases = {case.id: case for case in experiment.cases}
        self.blocks = experiment.blocks
        self.trials = experiment.blocks * len(experiment.cases)
        if (stopping := experiment.stopping) is not None:
            self.is_open = True
            self._budget_s = stopping.budget_s
            self._least_trials = stopping.least_blocks * len(experiment.cases)
        for measurement in kept:
            self.add(measurement)
        self._kept = self.done
        if self._budget_s is not None:
            self._budget_s -= math.fsum(measurement.took_s for measurement in kept)
        for case, stop in stops.items():
            self.stop(case, stop)

    def add(self, measurement: Measurement) -> str | None:
        """Count a trial unless it is repeated and, where it succeeded, its value."""
        self._others.add(measurement)
        if is_final(measurement):
            self.done += 1
            self._latest = self._cases[measurement.case]
            if (value_s := _value_s(self._latest, measurement)) is not None:
                self._values_s.setdefault(measurement.case, []).append(value_s)
        if measurement.outcome not in {"ok", "invalid"}:
            self._failed.add(measurement.case)
        return None if measurement.outcome == "ok" else failure_line(measurement)

    def stop(self, case: str, stop: Stop) -> str | None:
        """Expect no more trials of a case, and return a line about it.

        Return None if the run ends for all cases.
        """
        self.trials -= self.blocks - stop.blocks
        self._stops[case] = stop
        return None if stop.reason in {"blocks", "budget"} else f"{case}: {stop_words(stop)}"

    def update(self, _metrics: Sequence[MetricState], _spent_s: float) -> list[str]:
        """Return no line: a run has no metrics to decide."""
        return []

    def block_line(self, block: int, machine: str = "") -> str:
        """Count blocks and trials, and name the leader and the machine of a cluster, if it was one."""
        left_s = self.left_s()
        up_to, about = ("up to ", "up to") if self.is_open else ("", "about")
        left = f", {about} {format_duration(left_s)} left" if left_s else ""
        trials = f"{self.done} of {up_to}{self.trials} trials{left}"
        where = f" on {machine}" if machine else ""
        return f"block {block + 1} of {up_to}{self.blocks}{where}: {trials}; leader: {self.leader()}"

    def drawing(self, case: str, block: int, console: Console) -> RenderableType:
        """Draw a bar with the time left, and below it a table of the cases, the fastest first."""
        left_s = self.left_s()
        up_to, about = ("up to ", "up to") if self.is_open else ("", "about")
        left = "" if left_s is None else f", {about} {format_duration(left_s)} left"
        head = Head(
            f"block {block + 1} of {up_to}{self.blocks}",
            self.done,
            self.trials,
            f"{self.done} of {up_to}{self.trials} trials{left}",
            case,
            self._others.warning(),
        )
        cases = [
            LiveCase(each, self._values_s.get(name, ()), name in self._failed, self._stops.get(name))
            for name, each in self._cases.items()
        ]
        return draw_run(head, cases, console)

    def left_s(self) -> float | None:
        """Predict the seconds left from the pace so far; ``None`` before the first trial has ended."""
        if self.done == self._kept:
            return None
        took_s = self._clock() - self._started_s
        pace_s = took_s / (self.done - self._kept)
        # machines of a cluster may have measured cases that had stopped
        left_s = pace_s * max(0, self.trials - self.done)
        if self._budget_s is None:
            return left_s
        inevitable_s = pace_s * (self._least_trials - self.done)
        return min(left_s, max(inevitable_s, self._budget_s - took_s, 0.0))

    def leader(self) -> str:
        """Name the case with the least median so far under the conditions of the latest trial.

        In an open loop, whose schedule decides how long a round takes, there is none.
        """
        if self._latest is None:
            return "none yet"
        if self._latest.rate:
            return "none in an open loop"
        medians = {
            case: median(values_s)
            for case, values_s in self._values_s.items()
            if self._cases[case].conditions == self._latest.conditions
        }
        if not medians:
            return "none yet"
        leader = min(medians, key=lambda case: medians[case])
        return f"{leader} at {format_duration(medians[leader])}"


class ComparisonProgress:
    """Follows the metrics of a comparison until each has a verdict."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._metrics: Sequence[MetricState] = ()
        self._decided: set[tuple[str, Metric]] = set()
        self._stops: dict[str, Stop] = {}
        self._spent_s = 0.0
        self._last_failure = ("", "")
        self._others = _OtherProcesses()

    def start(self, _experiment: Experiment, _kept: Sequence[Measurement], stops: Mapping[str, Stop]) -> None:
        """Take the stops of a resumed comparison; the first update has its verdicts."""
        self._stops.update(stops)

    def add(self, measurement: Measurement) -> str | None:
        """Return a line about a failed trial, or None.

        The same disturbance of both trials of a pair is one line.
        """
        self._others.add(measurement)
        if measurement.outcome == "ok":
            return None
        case = measurement.case.rpartition("@")[0]
        is_discarded = measurement.outcome == "invalid"
        line = failure_line(replace(measurement, case=case) if is_discarded else measurement)
        pair = f"{case} {measurement.block} {measurement.attempt}"
        before, self._last_failure = self._last_failure, (pair, line)
        return None if before == self._last_failure else line

    def stop(self, case: str, stop: Stop) -> str | None:
        """Note why a case stopped; return a line about it unless its verdicts or the budget tell."""
        self._stops[case] = stop
        return None if stop.reason in {"decided", "budget"} else f"{case}: {stop_words(stop)}"

    def update(self, metrics: Sequence[MetricState], spent_s: float) -> list[str]:
        """Return a line for each new verdict."""
        self._metrics, self._spent_s = metrics, spent_s
        new = [
            each
            for each in metrics
            if each.verdict is not None and (each.case, each.metric) not in self._decided
        ]
        self._decided |= {(each.case, each.metric) for each in new}
        return [
            f"{each.case}: {each.metric} {each.verdict}: {_change(each)} ({_bounds(each)}) "
            f"after {plural(each.blocks, 'block')}"
            for each in new
        ]

    def block_line(self, block: int, machine: str = "") -> str:  # noqa: ARG002  no comparison is on a cluster
        """Count the undecided metrics."""
        return f"block {block + 1}: {plural(len(self._metrics) - len(self._decided), 'metric')} undecided"

    def drawing(self, case: str, block: int, console: Console) -> RenderableType:
        """Draw a bar with the time spent, and below it the interval of each metric against its margin."""
        budget_s = self._comparison.budget_s
        decided = f"{len(self._decided)} of {plural(len(self._metrics), 'metric')} decided"
        left = f"{decided}, {format_duration(self._spent_s)} of at most {format_duration(budget_s)}"
        head = Head(f"block {block + 1}", self._spent_s, budget_s, left, case, self._others.warning())
        return draw_comparison(head, self._comparison, self._metrics, self._stops, console)


ProgressState: TypeAlias = RunProgress | ComparisonProgress
"""Turns the events of a run into lines and a drawing; a display decides where they go."""


def failure_line(measurement: Measurement) -> str:
    """Describe a failed trial in one line."""
    where = f"{measurement.case}, block {measurement.block + 1}"
    again = "" if is_final(measurement) else "; it is repeated"
    return f"{where}: {measurement.outcome}: {measurement.detail}{again}"


def _value_s(case: Case, measurement: Measurement) -> float | None:
    """Return the time of a round of a trial, or in an open loop the 99th percentile; None if it failed."""
    if measurement.outcome != "ok" or not measurement.rounds:
        return None
    if case.rate:
        return metric_value(measurement, "p99")
    return block_value([round_.elapsed_s for round_ in measurement.rounds])


def _change(metric: MetricState) -> str:
    return MISSING if metric.ratio is None else format_change(metric.ratio)


def _bounds(metric: MetricState) -> str:
    return (
        MISSING
        if metric.ratio is None
        else format_change_interval(Interval(metric.ratio, metric.low, metric.high))
    )
