"""The state of a run while it goes on: trials done, time left, who leads."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from bench.model.cases import Experiment
from bench.model.results import Measurement
from bench.report.number_format import format_duration
from bench.stats.intervals import block_value
from bench.stats.retries import is_final
from bench.stats.stopping_rule import Stop


class ProgressState:
    """Counts trials as they come in.

    Attributes:
        blocks: how many there will be at the most.
        trials: how many there will be at the most.
        done: how many there were; one that is repeated counts once.
        is_open: whether there may be fewer of both, depending on what the trials yield.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started_s = clock()
        self._values: dict[str, list[float]] = {}
        self._profiles: Mapping[str, str] = {}
        self._profile = ""
        self._budget_s: float | None = None
        self._least_trials = 0
        self._kept = 0
        self.blocks = self.trials = self.done = 0
        self.is_open = False

    def start(self, experiment: Experiment) -> None:
        """Take the number of trials and the time of the start."""
        self._started_s = self._clock()
        self._profiles = {case.id: case.profile.name for case in experiment.cases}
        self.blocks = experiment.blocks
        self.trials = experiment.blocks * len(experiment.cases)
        if (stopping := experiment.stopping) is not None:
            self.is_open = True
            self._budget_s = stopping.budget_s
            self._least_trials = stopping.least_blocks * len(experiment.cases)

    def resume(self, kept: Sequence[Measurement], stops: Iterable[Stop]) -> None:
        """Take what there was before; the pace is that of the trials to come."""
        for measurement in kept:
            self.add(measurement)
        self._kept = self.done
        if self._budget_s is not None:
            self._budget_s -= math.fsum(measurement.took_s for measurement in kept)
        for stop in stops:
            self.stop(stop)

    def add(self, measurement: Measurement) -> None:
        """Count a trial unless it is repeated and, where it succeeded, its value."""
        if not is_final(measurement):
            return
        self.done += 1
        self._profile = self._profiles[measurement.case]
        if measurement.outcome == "ok" and measurement.rounds:
            value = block_value([round_.elapsed_s for round_ in measurement.rounds])
            self._values.setdefault(measurement.case, []).append(value)

    def stop(self, stop: Stop) -> None:
        """Expect no more trials of a case."""
        self.trials -= self.blocks - stop.blocks

    def left_s(self) -> float | None:
        """Predict the seconds left from the pace so far; ``None`` before the first trial has ended."""
        if self.done == self._kept:
            return None
        took_s = self._clock() - self._started_s
        pace_s = took_s / (self.done - self._kept)
        left_s = pace_s * (self.trials - self.done)
        if self._budget_s is None:
            return left_s
        inevitable_s = pace_s * (self._least_trials - self.done)
        return min(left_s, max(inevitable_s, self._budget_s - took_s, 0.0))

    def leader(self) -> str:
        """Name the case with the least median so far within the profile of the latest trial."""
        medians = {
            case: median(values)
            for case, values in self._values.items()
            if self._profiles[case] == self._profile
        }
        if not medians:
            return "none yet"
        leader = min(medians, key=lambda case: medians[case])
        return f"{leader} at {format_duration(medians[leader])}"
