"""How late an event loop comes to what is due: a timer every few milliseconds, and how late it fires.

asyncio's own timers are up to a millisecond late even in a loop that has nothing else to do. The last
timer ends with its loop.
"""

from collections.abc import Sequence
from math import ceil
from time import perf_counter
from typing import TYPE_CHECKING, Final

from bench.api import LOOP_WATCHERS, Fetch
from bench.worker.probes import End, Figures

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_PERIOD_S: Final = 0.01
_TAIL: Final = 0.99


def begin() -> End:
    """Set the timer in every event loop in which a client is opened from now on."""
    late_s: list[float] = []

    def watch(loop: "AbstractEventLoop") -> None:
        def beat(due_s: float) -> None:
            now_s = perf_counter()
            late_s.append(now_s - due_s)
            loop.call_later(_PERIOD_S, beat, now_s + _PERIOD_S)

        loop.call_later(_PERIOD_S, beat, perf_counter() + _PERIOD_S)

    LOOP_WATCHERS.append(watch)

    def end(_fetches: Sequence[Fetch]) -> Figures:
        LOOP_WATCHERS.remove(watch)
        if not late_s:
            return {}
        late_s.sort()
        p99_s = late_s[ceil(_TAIL * len(late_s)) - 1]
        return {"loop_lag_p50_s": late_s[len(late_s) // 2], "loop_lag_p99_s": p99_s}

    return end
