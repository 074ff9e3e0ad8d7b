"""Measure the processor time of the processes that are not of the run, from its start to its end."""

import math
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.model.results import OtherProcesses, ProcessUse
from bench.system.disturbance import sum_processor_times
from bench.system.process_tree import process_and_descendants

_MOST_NAMES: Final = 3
_LEAST_SHARE: Final = 0.01
"""Of a core; a process that used less is not named."""
_FIELDS: Final = 20
"""Fields after the name, up to the start of the process (proc(5))."""


@dataclass(frozen=True, slots=True)
class ProcessTimes:
    """Processor times of the whole machine at one moment, in seconds.

    Attributes:
        at_s: monotonic clock.
        all_s: of all processes since the machine was started.
        own_s: of the run's own processes.
        others: name and time of each living process outside of the run, by process id and start.
    """

    at_s: float
    all_s: float
    own_s: float
    others: Mapping[tuple[str, str], tuple[str, float]]


def read_process_times(own_cpu_s: Callable[[], float]) -> ProcessTimes | None:
    """Read the processor times of all processes that can be seen; return None where there is no ``/proc``.

    Args:
        own_cpu_s: returns the processor time that the run's own processes have used.
    """
    try:
        stat = Path("/proc/stat").read_text("ascii")
    except OSError:
        return None
    total = sum_processor_times(stat, range(os.cpu_count() or 1))
    own = frozenset(process_and_descendants(os.getpid()))
    return ProcessTimes(time.monotonic(), total.processes_s - total.stolen_s, own_cpu_s(), _read_others(own))


def others_between(before: ProcessTimes, after: ProcessTimes) -> OtherProcesses:
    """Return what other processes used between two readings, by name, the greatest users first.

    Only the command name of the kernel is kept, no arguments and no users.
    """
    lasted_s = after.at_s - before.at_s
    used: dict[str, float] = {}
    for process, (name, cpu_s) in after.others.items():
        used[name] = used.get(name, 0.0) + cpu_s - before.others.get(process, ("", 0.0))[1]
    ended_s = (after.all_s - before.all_s) - (after.own_s - before.own_s) - sum(used.values())
    named = [each for each in _greatest(used) if each.cpu_s >= _LEAST_SHARE * lasted_s]
    return OtherProcesses(lasted_s, tuple(named), max(0.0, ended_s))


def sum_sessions(sessions: Sequence[OtherProcesses]) -> OtherProcesses | None:
    """Add up what other processes used in all sessions of a run; return None if there are none."""
    if not sessions:
        return None
    used: dict[str, float] = {}
    for each in (process for session in sessions for process in session.processes):
        used[each.name] = used.get(each.name, 0.0) + each.cpu_s
    return OtherProcesses(
        math.fsum(session.lasted_s for session in sessions),
        tuple(_greatest(used)),
        math.fsum(session.rest_s for session in sessions),
    )


def _greatest(used: Mapping[str, float]) -> Iterator[ProcessUse]:
    """Yield the greatest users first, and no more of them than are named."""
    for name, cpu_s in sorted(used.items(), key=lambda item: -item[1])[:_MOST_NAMES]:
        yield ProcessUse(name, cpu_s)


def parse_process(stat: str) -> tuple[str, str, float] | None:
    """Return name, start and processor time in seconds of ``/proc/<pid>/stat``; None if it is cut off.

    The name is in parentheses, and may hold spaces and parentheses itself.
    """
    head, _, tail = stat.rpartition(")")
    words = tail.split()
    if len(words) < _FIELDS:
        return None
    cpu_s = (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    return head.partition("(")[2], words[19], cpu_s


def _read_others(own: Collection[int]) -> Mapping[tuple[str, str], tuple[str, float]]:
    others = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        pid = file.parent.name
        if int(pid) in own:
            continue
        try:
            found = parse_process(file.read_text("utf-8", "replace"))
        except OSError:  # it ended meanwhile
            continue
        if found is not None:
            name, start, cpu_s = found
            others[pid, start] = (name, cpu_s)
    return others
