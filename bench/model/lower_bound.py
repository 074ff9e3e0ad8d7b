"""What no strategy can beat."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bench.model.cases import Case


@dataclass(frozen=True, slots=True)
class CaseForecast:
    """What a case can be expected to take.

    Attributes:
        ideal_s: median over the blocks of the bound that no strategy can beat.
        trials_s: what its trial in each block takes, warm-up and process start included.
        may_miss_deadline: whether its longest trial is expected to take longer than it may.
    """

    case: Case
    ideal_s: float
    trials_s: tuple[float, ...]
    may_miss_deadline: bool

    def total_s(self, blocks: int) -> float:
        """Add up the trials of the first so many blocks, in seconds."""
        return math.fsum(self.trials_s[:blocks])


def ideal_s(service_s: Sequence[float], workers: int, request_timeout_s: float) -> float:
    """Return a lower bound, in seconds, for fetches that take ``service_s`` at the server.

    The longest fetch must be waited for, and ``workers`` slots can share the sum at best evenly
    (Graham, *Bounds on Multiprocessing Timing Anomalies*, 1969). Nobody waits for a fetch longer than
    its time-out.
    """
    waited_s = [min(each_s, request_timeout_s) for each_s in service_s]
    return max(*waited_s, math.fsum(waited_s) / workers)
