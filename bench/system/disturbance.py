"""Detect interruptions and disturbances of a trial, from counters of the machine before and after it.

Linux has them in ``/proc``. Where there is none, nothing is known, and no trial is discarded for it.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.model.results import Conditions
from bench.model.text import plural
from bench.system.cgroups import count_oom_kills
from bench.system.machine import swapped_pages
from bench.system.process_tree import lists_processes

_MAX_OTHERS: Final = 0.2
"""Cores' worth of processor time that other processes may use."""
_SATURATED: Final = 0.95
"""Share of all processor time above which the machine has none to spare."""
_CLOCK_JUMP_S: Final = 0.1
_SLEEP_S: Final = 0.05
_MAJOR_FAULTS: Final = 9
"""Place of ``majflt`` after the name in ``/proc/<pid>/stat`` (proc(5))."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters of the machine at one moment.

    Attributes:
        at_s: monotonic clock, which neither jumps nor counts sleep.
        wall_s: wall clock.
        boot_s: clock since boot, which counts sleep.
        processes_s: processor time of all processes, and the time that the hypervisor gave to other machines.
        stolen_s: the latter alone.
        idle_s: idle time of processors.
        own_s: processor time of the run's own processes.
        dropped: connections that the kernel dropped because a listener's queue was full, in the network of
            this process and its children; None where that cannot be read.
        swapped: pages of the whole machine that were read from and written to swap space.
        oom_kills: processes that the kernel killed because memory ran out, in the control group of this
            process; on the whole machine where no group counts them.
        own_faults: times that the run's own processes waited for a page from a disk (major page faults).
    """

    at_s: float
    wall_s: float
    boot_s: float
    processes_s: float
    stolen_s: float
    idle_s: float
    own_s: float
    dropped: int | None
    swapped: int
    oom_kills: int = 0
    own_faults: int = 0


@dataclass(frozen=True, slots=True)
class ProcessorTimes:
    """Times of processors since the machine was started, in seconds."""

    processes_s: float
    stolen_s: float
    idle_s: float


def take_snapshot(
    usable: Collection[int], own_cpu_s: Callable[[], float], own_faults: Callable[[], int]
) -> Snapshot | None:
    """Read the counters; return None where there is no ``/proc``, or only that of other processes.

    Args:
        usable: the processors of the trial; activity on others does not disturb it.
        own_cpu_s: returns the processor time that the run's own processes have used.
        own_faults: returns how often they waited for a page from a disk.
    """
    if not lists_processes():
        return None
    try:
        times = sum_processor_times(Path("/proc/stat").read_text("ascii"), usable)
        vmstat = Path("/proc/vmstat").read_text("ascii")
    except OSError:
        return None
    return Snapshot(
        at_s=time.monotonic(),
        wall_s=time.time(),
        boot_s=time.clock_gettime(time.CLOCK_BOOTTIME),
        own_s=own_cpu_s(),
        dropped=_read_dropped_connections(),
        swapped=swapped_pages(vmstat) or 0,
        oom_kills=_count_oom_kills(vmstat),
        own_faults=own_faults(),
        processes_s=times.processes_s,
        stolen_s=times.stolen_s,
        idle_s=times.idle_s,
    )


def conditions_between(before: Snapshot, after: Snapshot) -> Conditions:
    """Return the processor time that others had between two snapshots, in cores; a lower bound.

    Many kernels bill interrupts to the process that they interrupt; ours then seem to have used more of
    the processors' time than there was, and others less.
    """
    lasted_s = after.at_s - before.at_s
    others_s = (after.processes_s - before.processes_s) - (after.own_s - before.own_s)
    return Conditions(
        strangers=max(0.0, others_s / lasted_s),
        stolen=(after.stolen_s - before.stolen_s) / lasted_s,
        idle=(after.idle_s - before.idle_s) / lasted_s,
    )


def find_interruption(before: Snapshot, after: Snapshot) -> str | None:
    """Return the first event between two snapshots that makes timings meaningless, or None."""
    return next(_interruptions(before, after), None)


def find_disturbance(before: Snapshot, after: Snapshot) -> str | None:
    """Return how other processes slowed this trial down between two snapshots, or None.

    Its timing is true all the same: that is what the downloads take on such a machine.
    """
    others = conditions_between(before, after).strangers
    if others > _MAX_OTHERS:
        return f"others used {others:.0%} of a core"
    busy_s = (after.processes_s - before.processes_s) - (after.stolen_s - before.stolen_s)
    if busy_s > _SATURATED * (busy_s + after.idle_s - before.idle_s):
        return "every core of the machine was busy"
    return None


def refused_connections(before: Snapshot, after: Snapshot) -> str | None:
    """Return how many connections were dropped by a full queue, or None if none were."""
    if before.dropped is None or after.dropped is None or after.dropped == before.dropped:
        return None
    return f"the kernel dropped connections: {after.dropped - before.dropped} (ListenOverflows, ListenDrops)"


def _interruptions(before: Snapshot, after: Snapshot) -> Iterator[str]:
    slept_s = (after.boot_s - before.boot_s) - (after.at_s - before.at_s)
    if slept_s > _SLEEP_S:
        yield f"the machine slept for {slept_s:.2g} s"
    jumped_s = (after.wall_s - before.wall_s) - (after.boot_s - before.boot_s)
    if abs(jumped_s) > _CLOCK_JUMP_S:
        yield f"the clock jumped by {jumped_s:+.2g} s"
    swapped, waits = after.swapped - before.swapped, after.own_faults - before.own_faults
    if swapped and waits:  # without a fault of its own, the pages were those of other processes
        waited = f"the run's processes waited for {plural(waits, 'page')} from a disk"
        yield f"memory was swapped: {plural(swapped, 'page')}, and {waited}"
    if killed := after.oom_kills - before.oom_kills:
        yield f"memory ran out, and the kernel killed processes: {killed:,}"


def cpu_s(pid: int) -> float:
    """Return the processor time of a single-threaded process, in seconds; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9
    except OSError:
        return 0.0


def major_faults(pid: int) -> int:
    """Return how often a process waited for a page from a disk; 0 if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[_MAJOR_FAULTS])


def sum_processor_times(stat: str, usable: Collection[int]) -> ProcessorTimes:
    """Add up the lines of these processors in ``/proc/stat`` (proc(5)).

    Interrupts are left out: most of those during a trial are its own packets.
    """
    names = {f"cpu{number}" for number in usable}
    lines = [words for line in stat.splitlines() if (words := line.split())[:1] and words[0] in names]
    ticks = [sum(map(int, column)) for column in zip(*(words[1:9] for words in lines), strict=True)]
    user, nice, system, idle, iowait, _irq, _softirq, steal = ticks or [0] * 8
    second = os.sysconf("SC_CLK_TCK")
    return ProcessorTimes((user + nice + system + steal) / second, steal / second, (idle + iowait) / second)


def count_dropped_connections(netstat: str) -> int | None:
    """Read the connections dropped by full queues in ``/proc/net/netstat``; None if it does not count them.

    It has lines of names, each before a line of figures. ``ListenDrops`` includes overflows.
    """
    lines = [line.split() for line in netstat.splitlines()]
    counters: dict[str, str] = {}
    for names, figures in zip(lines[::2], lines[1::2], strict=False):
        counters.update(zip(names, figures, strict=False))
    known = [int(counters[name]) for name in ("ListenDrops", "ListenOverflows") if name in counters]
    return known[0] if known else None


def _read_dropped_connections() -> int | None:
    try:
        return count_dropped_connections(Path("/proc/net/netstat").read_text("ascii"))
    except OSError:  # some sandboxes have no such file
        return None


def _count_oom_kills(vmstat: str) -> int:
    """Read the OOM kills of our control group, else those in ``/proc/vmstat``; 0 before Linux 4.13."""
    own = count_oom_kills(Path("/"))
    counters = dict(line.split() for line in vmstat.splitlines())
    return int(counters.get("oom_kill", 0)) if own is None else own
