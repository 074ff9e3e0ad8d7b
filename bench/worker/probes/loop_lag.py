"""Measure event loop lag: how late a timer fires that is due every 10 ms.

asyncio's own timers are up to a millisecond late even in an idle loop. The last timer ends with its loop.
"""

from array import array
from collections.abc import Sequence
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bench.api import LOOP_WATCHERS, Fetch
from bench.worker.probes import End, Figures

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_PERIOD_S: Final = 0.01
_QUANTILE: Final = 0.99


def begin() -> End:
    """Start a timer in every event loop in which a client is opened from now on."""
    lags_s = array("d")  # a list would keep an object for each, which ``allocations`` counts

    def watch(loop: "AbstractEventLoop") -> None:
        def tick(due_s: float) -> None:
            now_s = perf_counter()
            lags_s.append(now_s - due_s)
            loop.call_later(_PERIOD_S, tick, now_s + _PERIOD_S)

        loop.call_later(_PERIOD_S, tick, perf_counter() + _PERIOD_S)

    LOOP_WATCHERS.append(watch)

    def end(_fetches: Sequence[Fetch]) -> Figures:
        LOOP_WATCHERS.remove(watch)
        if not lags_s:
            return {}
        ordered_s = sorted(lags_s)
        p99_s = ordered_s[ceil(_QUANTILE * len(ordered_s)) - 1]
        return {"loop_lag_p50_s": ordered_s[len(ordered_s) // 2], "loop_lag_p99_s": p99_s}

    return end
