"""Measure CPU time and context switches of the process and of the children that it has waited for."""

import resource
from collections.abc import Sequence

from bench.api import Fetch
from bench.worker.probes import End, Figures


def begin() -> End:
    """Start counting."""
    before = _read_usage()

    def end(_fetches: Sequence[Fetch]) -> Figures:
        after = _read_usage()
        return {name: after[name] - before[name] for name in after}

    return end


def _read_usage() -> dict[str, float]:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "cpu_user_s": own.ru_utime + children.ru_utime,
        "cpu_system_s": own.ru_stime + children.ru_stime,
        "switches_voluntary": float(own.ru_nvcsw + children.ru_nvcsw),
        "switches_involuntary": float(own.ru_nivcsw + children.ru_nivcsw),
    }
