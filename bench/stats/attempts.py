"""Which attempt of a trial counts: an invalid one is repeated, and the last one decides."""

from collections.abc import Sequence
from typing import Final

from bench.measurement import Measurement

MOST_REPEATS: Final = 3
"""How often a trial is repeated because the machine or the server spoilt it."""


def is_final(trial: Measurement) -> bool:
    """Say whether a measurement is what its trial yielded, rather than an attempt that is repeated."""
    return trial.outcome != "invalid" or trial.attempt >= MOST_REPEATS


def final_attempts(trials: Sequence[Measurement]) -> list[Measurement]:
    """Leave out the attempts that were repeated, or would have been if the run had gone on."""
    return [trial for trial in trials if is_final(trial)]
