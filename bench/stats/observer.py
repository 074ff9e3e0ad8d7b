"""What happens while a run goes on, for whoever looks on."""

from collections.abc import Iterable, Sequence

from bench.model.cases import Case, Experiment
from bench.model.results import Measurement
from bench.stats.comparison_state import ComparisonState
from bench.stats.stopping_rule import Stop


class Observer:
    """Looks on between trials; nothing is called while something is timed. Every method does nothing."""

    def run_started(self, experiment: Experiment) -> None:
        """Take note that the first block is about to start."""

    def run_resumed(self, kept: Sequence[Measurement], stops: Iterable[Stop]) -> None:
        """Take note of what there was before, after ``run_started``: trials, and cases that had left."""

    def trial_started(self, case: Case, block: int) -> None:
        """Take note that a trial is about to start."""

    def trial_ended(self, measurement: Measurement) -> None:
        """Take note of what a trial, or one attempt at it, yielded."""

    def case_stopped(self, case: Case, stop: Stop) -> None:
        """Take note that a case is run no more, and why."""

    def block_ended(self, block: int) -> None:
        """Take note that every case of a block has been run."""

    def contest_stands(self, tally: ComparisonState) -> None:
        """Take note of how a contest stands, before its first duet and after each."""
