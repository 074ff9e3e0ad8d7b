"""What a run will be like, before it starts: the ideal of each case, and the time it will take."""

import math
from statistics import median
from typing import Final

from bench.ideal import Outlook
from bench.model import Case, Experiment
from bench.runner.expectation import expect
from bench.server.flags import served_flags
from bench.worker.protocol import AUTO_ROUNDS, AUTO_TIMED_S

_COLD_START_S: Final = 0.45
_CPU_PER_FETCH_S: Final = 0.001


def foresee(experiment: Experiment) -> tuple[Outlook, ...]:
    """Work out the outlook of every case, in the order of the config."""
    sizes = {code: len(flag) for code, flag in served_flags(experiment.flags_dir).items()}

    def outlook(case: Case) -> Outlook:
        ideals_s = [expect(case, experiment, block, sizes).ideal_s for block in range(experiment.blocks)]
        fetches = len(case.countries.fetches)
        trials_s = [expected_trial_s(bound_s, fetches, experiment.rounds) for bound_s in ideals_s]
        return Outlook(case, median(ideals_s), math.fsum(trials_s), max(trials_s) > experiment.deadline_s)

    return tuple(outlook(case) for case in experiment.cases)


def expected_trial_s(round_ideal_s: float, fetches: int, rounds: int | None) -> float:
    """Predict how long one trial takes, in seconds: process start, warm-up and timed rounds.

    The processor's share is a rough millisecond per fetch: what Python HTTP clients need.
    """
    round_s = max(round_ideal_s, fetches * _CPU_PER_FETCH_S)
    timed = rounds or min(AUTO_ROUNDS, max(1, math.ceil(AUTO_TIMED_S / round_s)))
    return _COLD_START_S + (1 + timed) * round_s
