"""Count the garbage collections of a round, and the memory blocks that it leaves allocated.

Both are counters that the interpreter keeps anyway, read before and after the round: nothing is traced. They
are of this process and its main interpreter, so there are no figures where a strategy has other ones.
"""

import gc
import os
import resource
import sys
from collections.abc import Sequence
from typing import Final

from bench.api import Fetch
from bench.worker.probes import End, Figures

_SUBINTERPRETERS: Final = "concurrent.futures.interpreter"
"""Imported by pools of sub-interpreters only; each of those collects its own garbage."""


def begin() -> End:
    """Read the counters."""
    children_before = _children_usage()
    collections_before = _count_collections()
    blocks_before = sys.getallocatedblocks()  # last here and first below, so that no work of ours counts

    def end(_fetches: Sequence[Fetch]) -> Figures:
        blocks = sys.getallocatedblocks() - blocks_before
        collections = _count_collections() - collections_before
        if _SUBINTERPRETERS in sys.modules or _has_children() or _children_usage() != children_before:
            return {}
        return {"gc_collections": float(collections), "blocks_grown": float(blocks)}

    return end


def _count_collections() -> int:
    """Count the collections of all generations since the start of the process."""
    return sum(generation["collections"] for generation in gc.get_stats())


def _has_children() -> bool:
    """Tell whether this process has a child, running or not yet waited for."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children_usage() -> tuple[float, int]:
    """Return the processor time and page faults of the children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime, usage.ru_minflt
