"""Measure the mean time between ``submit`` to an executor and the start of the fetch.

A mean needs no match between a submission and its fetch. There is no figure where the two do not
correspond one to one, as with an event loop or with chunks.
"""

import sys
from array import array
from collections.abc import Callable, Sequence
from math import fsum
from time import perf_counter
from typing import Any, Final

from bench.api import Fetch
from bench.worker.probes import End, Figures

_EXECUTORS: Final = {
    "concurrent.futures.thread": "ThreadPoolExecutor",
    "concurrent.futures.process": "ProcessPoolExecutor",
}


def begin() -> End:
    """Record the time of every submission from now on."""
    submitted_s = array("d")  # a list would keep an object for each, which ``allocations`` counts
    executors = [
        getattr(sys.modules[module], name) for module, name in _EXECUTORS.items() if module in sys.modules
    ]
    originals = [executor.submit for executor in executors]
    for executor, original in zip(executors, originals, strict=True):
        executor.submit = _recording(original, submitted_s)

    def end(fetches: Sequence[Fetch]) -> Figures:
        for executor, original in zip(executors, originals, strict=True):
            executor.submit = original
        if not fetches or len(submitted_s) != len(fetches):
            return {}
        wait_s = fsum(fetch.start_s for fetch in fetches) / len(fetches) - fsum(submitted_s) / len(fetches)
        return {"queue_wait_s": wait_s} if wait_s >= 0 else {}

    return end


def _recording(submit: Callable[..., Any], submitted_s: "array[float]") -> Callable[..., Any]:
    def submit_and_record(self: object, fn: Callable[..., object], /, *args: object, **named: object) -> Any:
        submitted_s.append(perf_counter())
        return submit(self, fn, *args, **named)

    return submit_and_record
