"""What a run will be like, before it starts: the ideal of each case, and the time it will take."""

import math
from functools import cache
from statistics import median
from typing import Final

from bench.ideal import Outlook, ideal_s
from bench.model import Case, Experiment, Profile, Selection
from bench.server.flags import served_flags
from bench.server.weather import plan
from bench.worker.protocol import AUTO_ROUNDS, AUTO_TIMED_S

_COLD_START_S: Final = 0.45
_CPU_PER_FETCH_S: Final = 0.001


def foresee(experiment: Experiment) -> tuple[Outlook, ...]:
    """Work out the outlook of every case, in the order of the config."""
    sizes = {code: len(flag) for code, flag in served_flags(experiment.flags_dir).items()}

    @cache
    def service_s(profile: Profile, countries: Selection, block: int) -> tuple[float, ...]:
        return plan(profile, experiment.seed, block, countries.fetches, sizes)

    def outlook(case: Case) -> Outlook:
        ideals = [
            ideal_s(service_s(case.profile, case.countries, block), case.workers)
            for block in range(experiment.blocks)
        ]
        fetches = len(case.countries.fetches)
        trials = [expected_trial_s(bound_s, fetches, experiment.rounds) for bound_s in ideals]
        return Outlook(case, median(ideals), math.fsum(trials), max(trials) > experiment.deadline_s)

    return tuple(outlook(case) for case in experiment.cases)


def expected_trial_s(round_ideal_s: float, fetches: int, rounds: int | None) -> float:
    """Predict how long one trial takes, in seconds: process start, warm-up and timed rounds.

    The processor's share is a rough millisecond per fetch: what Python HTTP clients need.
    """
    round_s = max(round_ideal_s, fetches * _CPU_PER_FETCH_S)
    timed = rounds or min(AUTO_ROUNDS, max(1, math.ceil(AUTO_TIMED_S / round_s)))
    return _COLD_START_S + (1 + timed) * round_s
