"""Which attempt of a trial counts: an invalid one is repeated, and the last one decides."""

import math
from collections.abc import Sequence
from typing import Final

from bench.model.results import Measurement

PAUSES_S: Final = (0.25, 0.5, 1.0)
"""Before each repetition of a trial that the machine or the server spoilt: that may need a while to pass."""
MOST_REPEATS: Final = len(PAUSES_S)


def is_final(trial: Measurement) -> bool:
    """Say whether a measurement is what its trial yielded, rather than an attempt that is repeated."""
    return trial.outcome != "invalid" or trial.attempt >= MOST_REPEATS


def final_attempts(trials: Sequence[Measurement]) -> list[Measurement]:
    """Leave out the attempts that were repeated, or would have been if the run had gone on."""
    return [trial for trial in trials if is_final(trial)]


def disturbed_s(trials: Sequence[Measurement]) -> float:
    """Add up what went into attempts that were repeated, and into waiting after them, in seconds."""
    return math.fsum(trial.took_s + PAUSES_S[trial.attempt] for trial in trials if not is_final(trial))
