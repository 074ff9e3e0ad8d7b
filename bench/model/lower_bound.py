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


@dataclass(frozen=True, slots=True)
class Connecting:
    """What a round must at least wait for connections that it opens.

    A connection of flagbench's clients is opened after the call of ``download_many``, so no request of a
    round can arrive earlier than that takes.

    Attributes:
        least_s: from opening a connection to the first request on it; 0 if connections of an earlier round
            may still be open, or none is ever accepted.
        per_fetch: whether each fetch needs a connection of its own.
        is_shared: whether several fetches at once may wait for the same connection.
    """

    least_s: float = 0.0
    per_fetch: bool = False
    is_shared: bool = False

    def ideal_s(
        self, service_s: Sequence[float], workers: int, request_timeout_s: float, rate: float = 0.0
    ) -> float:
        """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server.

        In an open loop, with a rate, the first fetch is due at the call, and no connection is opened earlier.
        """
        if self.per_fetch:
            return ideal_s([self.least_s + each_s for each_s in service_s], workers, request_timeout_s, rate)
        # a fetch that times out may have waited for its connection meanwhile
        requested_s = max(0.0, request_timeout_s - self.least_s)
        return max(
            ideal_s(service_s, workers, request_timeout_s, rate),
            min(self.least_s, request_timeout_s) + ideal_s(service_s, workers, requested_s),
        )

    def bound_s(self, longest_s: float, total_s: float, requests: int, workers: int) -> float:
        """Return the lower bound for requests of which the longest and the sum of all are known, in seconds.

        None of them took longer than the time-out of its fetch leaves after connecting.
        """
        if self.per_fetch:
            return bound_s(self.least_s + longest_s, requests * self.least_s + total_s, workers)
        return self.least_s + bound_s(longest_s, total_s, workers)

    def waited_s(self, fetches: int, workers: int) -> float:
        """Return the seconds that a slot must wait for connections, in the mean over all slots."""
        return self.least_s * fetches / workers if self.per_fetch else self.least_s


def ideal_s(service_s: Sequence[float], workers: int, request_timeout_s: float, rate: float = 0.0) -> float:
    """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server.

    The longest fetch must be waited for, and ``workers`` slots can share the sum at best evenly
    (Graham, *Bounds on Multiprocessing Timing Anomalies*, 1969). Nor can they share a fetch in parts: of 194
    fetches, one of 20 slots has ten in a row, at best those that take the least. No fetch takes longer
    than its time-out.

    In an open loop, with a rate, no fetch begins before it is due: see ``scheduled_bound_s``.
    """
    waited_s = sorted(min(each_s, request_timeout_s) for each_s in service_s)
    in_a_row = math.ceil(len(waited_s) / workers)
    free_s = max(bound_s(waited_s[-1], math.fsum(waited_s), workers), math.fsum(waited_s[:in_a_row]))
    return max(free_s, scheduled_bound_s(waited_s, rate)) if rate else free_s


def scheduled_bound_s(service_s: Sequence[float], rate: float) -> float:
    """Return the lower bound of an open loop for any number of workers, in seconds.

    The k-th start, from 0, is at ``k / rate`` or later, and a strategy may choose which fetch it is. The
    round ends with the latest of the ends, which is earliest if the longest fetch begins first: of two
    fetches, exchanging them so that the longer one begins first leaves neither with an end later than that
    of the longer one before. So no order ends earlier than that of descending services.
    """
    longest_first = sorted(service_s, reverse=True)
    return max(number / rate + each_s for number, each_s in enumerate(longest_first))


def bound_s(longest_s: float, total_s: float, workers: int) -> float:
    """Return the lower bound for fetches of which the longest and the sum of all are known, in seconds."""
    return max(longest_s, total_s / workers)
