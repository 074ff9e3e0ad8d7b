"""Measure the time spent in garbage collection, forked children included.

Each process adds up its own time in a slot of memory that all of them share.
"""

import gc
import mmap
import os
from collections.abc import Sequence
from struct import Struct
from time import perf_counter
from typing import Final

from bench.api import Fetch
from bench.worker.probes import End, Figures

_SLOTS: Final = 4096
"""Processes started one after the other have consecutive ids, and so a slot each."""
_SECONDS: Final = Struct("=d")


def begin() -> End:
    """Start counting."""
    spent_s = mmap.mmap(-1, _SLOTS * _SECONDS.size)
    began_s = 0.0

    def on_collection(phase: str, _info: dict[str, int]) -> None:
        nonlocal began_s
        if phase == "start":
            began_s = perf_counter()
            return
        if not began_s:  # it began before this probe did, in another thread
            return
        offset = os.getpid() % _SLOTS * _SECONDS.size
        (before_s,) = _SECONDS.unpack_from(spent_s, offset)
        _SECONDS.pack_into(spent_s, offset, before_s + perf_counter() - began_s)
        began_s = 0.0

    gc.callbacks.append(on_collection)

    def end(_fetches: Sequence[Fetch]) -> Figures:
        gc.callbacks.remove(on_collection)
        total_s = sum(seconds for (seconds,) in _SECONDS.iter_unpack(spent_s))
        spent_s.close()
        return {"gc_s": total_s}

    return end
