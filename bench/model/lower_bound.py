"""Compute the lower bound of a round, its *ideal*, and hold the time estimate of a case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.cases import Case


@dataclass(frozen=True, slots=True)
class CaseForecast:
    """The time estimate of a case.

    Attributes:
        ideal_s: median over the blocks of the bound that no strategy can beat.
        trials_s: duration of its trial in each block, with warm-up and process start.
        may_miss_deadline: whether its longest trial may exceed the deadline.
        round_s: expected duration of a round; the ideal if it is unknown.
        rounds: expected number of timed rounds of a trial.
        guess: why no pilot told what its fetches cost; None if one did, or if the run is too short for any.
    """

    case: Case
    ideal_s: float
    trials_s: tuple[float, ...]
    may_miss_deadline: bool
    round_s: float | None = None
    rounds: int = 1
    guess: str | None = None

    def total_s(self, blocks: int) -> float:
        """Add up the trials of the first blocks, in seconds."""
        return math.fsum(self.trials_s[:blocks])


def ideal_s(service_s: Sequence[float], workers: int, request_timeout_s: float) -> float:
    """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server.

    The longest fetch must be waited for, and ``workers`` slots can share the sum at best evenly
    (Graham, *Bounds on Multiprocessing Timing Anomalies*, 1969). Nor can they share a fetch in parts: of 194
    fetches, one of 20 slots has ten in a row, at best those that take the least. No fetch takes longer
    than its time-out.
    """
    waited_s = sorted(min(each_s, request_timeout_s) for each_s in service_s)
    in_a_row = math.ceil(len(waited_s) / workers)
    return max(bound_s(waited_s[-1], math.fsum(waited_s), workers), math.fsum(waited_s[:in_a_row]))


def bound_s(longest_s: float, total_s: float, workers: int) -> float:
    """Return the lower bound for fetches of which the longest and the sum of all are known, in seconds."""
    return max(longest_s, total_s / workers)
