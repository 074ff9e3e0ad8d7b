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
class RoundWork:
    """The CPU work within the fetches of a round, in seconds.

    Attributes:
        each_s: for each fetch the least that its work takes; 0 for one without work.
        exclusive_s: the sum of the work of which no two fetches can do any at the same time.
        processors: the most that all of it can use at once; None if that is not known.
        keeps_slots: whether a fetch keeps its slot until its work is done.
    """

    each_s: tuple[float, ...]
    exclusive_s: float
    processors: int | None
    keeps_slots: bool


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
        self,
        service_s: Sequence[float],
        workers: int,
        request_timeout_s: float,
        rate: float = 0.0,
        work: RoundWork | None = None,
    ) -> float:
        """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server.

        Neither a request nor work is possible before a connection. In an open loop, with a rate, the first
        fetch is due at the call, and no connection is opened earlier.
        """
        if self.per_fetch:
            services_s = [self.least_s + each_s for each_s in service_s]
            return ideal_s(services_s, workers, request_timeout_s, rate, work)
        # a fetch that times out may have waited for its connection meanwhile
        requested_s = max(0.0, request_timeout_s - self.least_s)
        return max(
            ideal_s(service_s, workers, request_timeout_s, rate, work),
            min(self.least_s, request_timeout_s) + ideal_s(service_s, workers, requested_s, work=work),
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


def ideal_s(
    service_s: Sequence[float],
    workers: int,
    request_timeout_s: float,
    rate: float = 0.0,
    work: RoundWork | None = None,
) -> float:
    """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server, and CPU work then.

    The longest fetch must be waited for, and ``workers`` slots can share the sum at best evenly
    (Graham, *Bounds on Multiprocessing Timing Anomalies*, 1969). Nor can they share a fetch in parts: of 194
    fetches, one of 20 slots has ten in a row, at best those that take the least. No fetch takes longer
    than its time-out.

    Work lasts at least as long on its own, begins when its fetch has been answered, and so not before the
    first of them, and shares processors at best evenly from then on.

    In an open loop, with a rate, no fetch begins before it is due: see ``scheduled_bound_s``.
    """
    waited_s = [min(each_s, request_timeout_s) for each_s in service_s]
    ended_s = waited_s
    if work is None:
        free_s = _shared_s(waited_s, workers)
    else:
        ended_s = [waited + each for waited, each in zip(waited_s, work.each_s, strict=True)]
        first_s = min(
            (waited for waited, each in zip(waited_s, work.each_s, strict=True) if each), default=0.0
        )
        total_s = max(math.fsum(work.each_s) / (work.processors or math.inf), work.exclusive_s)
        slots_s = _shared_s(ended_s if work.keeps_slots else waited_s, workers)
        free_s = max(slots_s, *ended_s, first_s + total_s)
    return max(free_s, scheduled_bound_s(ended_s, rate)) if rate else free_s


def scheduled_bound_s(service_s: Sequence[float], rate: float) -> float:
    """Return the lower bound of an open loop for any number of workers, in seconds.

    The k-th start, from 0, is at ``k / rate`` or later, and a strategy may choose which fetch it is. The
    round ends with the latest of the ends, which is earliest if the longest fetch begins first: of two
    fetches, exchanging them so that the longer one begins first leaves neither with an end later than that
    of the longer one before. So no order ends earlier than that of descending services.
    """
    longest_first = sorted(service_s, reverse=True)
    return max(number / rate + each_s for number, each_s in enumerate(longest_first))


def _shared_s(busy_s: Sequence[float], workers: int) -> float:
    """Return the lower bound for fetches that keep a slot for so long, each without interruption."""
    ascending_s = sorted(busy_s)
    in_a_row = math.ceil(len(ascending_s) / workers)
    return max(bound_s(ascending_s[-1], math.fsum(ascending_s), workers), math.fsum(ascending_s[:in_a_row]))


def bound_s(longest_s: float, total_s: float, workers: int) -> float:
    """Return the lower bound for fetches of which the longest and the sum of all are known, in seconds."""
    return max(longest_s, total_s / workers)
