"""Processor time and context switches of the process and of the children that it has waited for."""

import resource
from collections.abc import Sequence

from bench.api import Fetch
from bench.worker.probes import End, Figures


def begin() -> End:
    """Start counting."""
    before = _used()

    def end(_fetches: Sequence[Fetch]) -> Figures:
        after = _used()
        return {name: after[name] - before[name] for name in after}

    return end


def _used() -> dict[str, float]:
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu_user_s": mine.ru_utime + theirs.ru_utime,
        "cpu_system_s": mine.ru_stime + theirs.ru_stime,
        "switches_voluntary": float(mine.ru_nvcsw + theirs.ru_nvcsw),
        "switches_involuntary": float(mine.ru_nivcsw + theirs.ru_nivcsw),
    }
