"""The rule for retries: a discarded attempt is repeated after a pause; the last attempt is final."""

import math
from collections.abc import Sequence
from typing import Final

from bench.model.results import Measurement

PAUSES_S: Final = (0.25, 0.5, 1.0)
"""Seconds before each retry of a disturbed trial: a disturbance may take a while to pass."""
MOST_REPEATS: Final = len(PAUSES_S)


def is_final(trial: Measurement) -> bool:
    """Return whether a measurement counts for its trial, rather than being an attempt that is repeated."""
    return trial.outcome != "invalid" or trial.attempt >= MOST_REPEATS


def final_attempts(trials: Sequence[Measurement]) -> list[Measurement]:
    """Leave out the attempts that were repeated, or would have been if the run had gone on."""
    return [trial for trial in trials if is_final(trial)]


def disturbed_s(trials: Sequence[Measurement]) -> float:
    """Add up the seconds spent on attempts that were repeated, and on the pauses after them."""
    return math.fsum(trial.took_s + PAUSES_S[trial.attempt] for trial in trials if not is_final(trial))
