"""How long work waited in an executor's queue: from its ``submit`` to the start of its fetch, on average.

Which work became which fetch need not be known for a mean. Nothing is said where the two do not
correspond one to one, as with an event loop or with chunks.
"""

import sys
from collections.abc import Callable, Sequence
from statistics import fmean
from time import perf_counter
from typing import Any, Final

from bench.api import Fetch
from bench.worker.probes import End, Figures

_EXECUTORS: Final = {
    "concurrent.futures.thread": "ThreadPoolExecutor",
    "concurrent.futures.process": "ProcessPoolExecutor",
}


def begin() -> End:
    """Take the time of every submission from now on."""
    submitted_s: list[float] = []
    kinds = [
        getattr(sys.modules[module], name) for module, name in _EXECUTORS.items() if module in sys.modules
    ]
    originals = [kind.submit for kind in kinds]
    for kind, original in zip(kinds, originals, strict=True):
        kind.submit = _noting(original, submitted_s)

    def end(fetches: Sequence[Fetch]) -> Figures:
        for kind, original in zip(kinds, originals, strict=True):
            kind.submit = original
        if not fetches or len(submitted_s) != len(fetches):
            return {}
        if not all(isinstance(fetch.start_s, int | float) for fetch in fetches):
            return {}
        waited_s = fmean(fetch.start_s for fetch in fetches) - fmean(submitted_s)
        return {"queue_wait_s": waited_s} if waited_s >= 0 else {}

    return end


def _noting(submit: Callable[..., Any], submitted_s: list[float]) -> Callable[..., Any]:
    def noted(self: object, fn: Callable[..., object], /, *args: object, **named: object) -> Any:
        submitted_s.append(perf_counter())
        return submit(self, fn, *args, **named)

    return noted
