"""How far the trials that are kept have brought an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.cases import Experiment
from bench.model.results import Measurement
from bench.runner.course import replay
from bench.runner.duets import replay_duets


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an experiment stands.

    Attributes:
        trials: those that count.
        is_due: whether there are more to come.
    """

    trials: tuple[Measurement, ...]
    is_due: bool


def progress_of(experiment: Experiment, trials: Sequence[Measurement]) -> Progress:
    """Work out where an experiment stands after these trials.

    Raises:
        UnreadableResultError: one of them was not due when it came.
    """
    if experiment.contest is None:
        return Progress(tuple(trials), bool(replay(experiment, trials).due))
    replayed = replay_duets(experiment, experiment.contest, trials)
    return Progress(replayed.trials, bool(replayed.tally.due))
