"""The state of a run while it goes on: trials done, time left, who leads."""

from collections.abc import Callable, Mapping
from statistics import median

from bench.measurement import Measurement
from bench.model import Experiment
from bench.report.figures import duration
from bench.stats.intervals import block_value


class Race:
    """Counts trials as they come in.

    Attributes:
        trials: how many there will be.
        done: how many there were.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started_s = clock()
        self._values: dict[str, list[float]] = {}
        self._profiles: Mapping[str, str] = {}
        self._profile = ""
        self.blocks = self.trials = self.done = 0

    def start(self, experiment: Experiment) -> None:
        """Take the number of trials and the time of the start."""
        self._started_s = self._clock()
        self._profiles = {case.id: case.profile.name for case in experiment.cases}
        self.blocks = experiment.blocks
        self.trials = experiment.blocks * len(experiment.cases)

    def add(self, measurement: Measurement) -> None:
        """Count a trial and, where it succeeded, its value."""
        self.done += 1
        self._profile = self._profiles[measurement.case]
        if measurement.outcome == "ok" and measurement.rounds:
            value = block_value([round_.elapsed_s for round_ in measurement.rounds])
            self._values.setdefault(measurement.case, []).append(value)

    def give_up(self, blocks_left: int) -> None:
        """Expect so many trials fewer."""
        self.trials -= blocks_left

    def left_s(self) -> float | None:
        """Predict the seconds left from the pace so far; ``None`` before the first trial has ended."""
        if not self.done:
            return None
        return (self._clock() - self._started_s) / self.done * (self.trials - self.done)

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
        return f"{leader} at {duration(medians[leader])}"
