"""What the machine did while a trial went on, and what of it makes a timing worthless.

Linux says it all in ``/proc``; elsewhere nothing is known, and nothing is refused on its account.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.model.results import Conditions
from bench.system.machine import swapped_pages

_MOST_STRANGERS: Final = 0.2
"""Cores' worth of processor time that others may use."""
_SATURATED: Final = 0.95
"""Share of all processor time from which the machine has none to spare."""
_CLOCK_JUMP_S: Final = 0.1
_SLEEP_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Counters of the machine at one moment.

    Attributes:
        at_s: by the clock that neither jumps nor counts sleep.
        wall_s: by the clock that people read.
        boot_s: by the clock that counts sleep, too.
        processes_s: processor time of all processes, and what the hypervisor gave to other machines.
        stolen_s: the latter alone.
        idle_s: time that processors had nothing to do.
        own_s: processor time of the run's own processes.
        dropped: connections that the kernel refused because a listener's queue was full, in the network of
            this process and its children; ``None`` where that cannot be read.
        swapped: pages read from and written to swap space.
        oom_kills: processes that the kernel killed because memory ran out.
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


def conditions_between(before: Snapshot, after: Snapshot) -> Conditions:
    """Say what went to others between two snapshots, in cores, at the least.

    Many kernels bill interrupts to the process that they interrupt; ours then seem to have used more of
    the processors' time than there was, and others less.
    """
    lasted_s = after.at_s - before.at_s
    strangers_s = (after.processes_s - before.processes_s) - (after.own_s - before.own_s)
    return Conditions(
        strangers=max(0.0, strangers_s / lasted_s),
        stolen=(after.stolen_s - before.stolen_s) / lasted_s,
    )


def find_disturbance(before: Snapshot, after: Snapshot) -> str:
    """Say what makes timings between two snapshots worthless; nothing if nothing does."""
    return next(_disturbances(before, after), "")


def refused_connections(before: Snapshot, after: Snapshot) -> str:
    """Say how many connections a full queue cost; nothing if it cost none."""
    if before.dropped is None or after.dropped is None:
        return ""
    dropped = after.dropped - before.dropped
    return f"the kernel dropped connections: {dropped} (ListenOverflows, ListenDrops)" if dropped else ""


def _disturbances(before: Snapshot, after: Snapshot) -> Iterator[str]:
    slept_s = (after.boot_s - before.boot_s) - (after.at_s - before.at_s)
    if slept_s > _SLEEP_S:
        yield f"the machine slept for {slept_s:.2g} s"
    jumped_s = (after.wall_s - before.wall_s) - (after.boot_s - before.boot_s)
    if abs(jumped_s) > _CLOCK_JUMP_S:
        yield f"the clock jumped by {jumped_s:+.2g} s"
    if why := refused_connections(before, after):
        yield why
    if swapped := after.swapped - before.swapped:
        yield f"memory was swapped: {swapped} pages"
    strangers = conditions_between(before, after).strangers
    if strangers > _MOST_STRANGERS:
        yield f"others used {strangers:.0%} of a core"
    busy_s = (after.processes_s - before.processes_s) - (after.stolen_s - before.stolen_s)
    if busy_s > _SATURATED * (busy_s + after.idle_s - before.idle_s):
        yield "every core of the machine was busy"


def take_snapshot(usable: Collection[int], own_cpu_s: Callable[[], float]) -> Snapshot | None:
    """Read the counters; ``None`` where there is no ``/proc``.

    Args:
        usable: the processors that the run may use: what goes on elsewhere does not disturb it.
        own_cpu_s: returns the processor time that the run's own processes have used.
    """
    try:
        processors = processors_of(Path("/proc/stat").read_text("ascii"), usable)
        dropped = _dropped(Path("/proc/net/netstat"))
        vmstat = Path("/proc/vmstat").read_text("ascii")
    except OSError:
        return None
    return Snapshot(
        at_s=time.monotonic(),
        wall_s=time.time(),
        boot_s=time.clock_gettime(time.CLOCK_BOOTTIME),
        own_s=own_cpu_s(),
        dropped=dropped,
        swapped=swapped_pages(vmstat) or 0,
        oom_kills=_oom_kills(vmstat),
        processes_s=processors.processes_s,
        stolen_s=processors.stolen_s,
        idle_s=processors.idle_s,
    )


def cpu_s(pid: int) -> float:
    """Return the processor time that a process of one thread has used, in seconds; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9
    except OSError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Processors:
    """What processors did since the machine was started, in seconds."""

    processes_s: float
    stolen_s: float
    idle_s: float


def processors_of(stat: str, usable: Collection[int]) -> Processors:
    """Add up the lines of these processors in ``/proc/stat`` (proc(5)).

    Interrupts are left out: most of those during a trial are its own packets.
    """
    names = {f"cpu{number}" for number in usable}
    lines = [words for line in stat.splitlines() if (words := line.split())[:1] and words[0] in names]
    ticks = [sum(map(int, column)) for column in zip(*(words[1:9] for words in lines), strict=True)]
    user, nice, system, idle, iowait, _irq, _softirq, steal = ticks or [0] * 8
    second = os.sysconf("SC_CLK_TCK")
    return Processors((user + nice + system + steal) / second, steal / second, (idle + iowait) / second)


def _oom_kills(vmstat: str) -> int:
    """Read the kernel's count in the text of ``/proc/vmstat``; none where it has none (before Linux 4.13)."""
    counters = dict(line.split() for line in vmstat.splitlines())
    return int(counters.get("oom_kill", 0))


def _dropped(netstat: Path) -> int | None:
    """Read what the kernel says of listeners; some sandboxes have no such file."""
    try:
        return dropped_connections(netstat.read_text("ascii"))
    except OSError:
        return None


def dropped_connections(netstat: str) -> int | None:
    """Read what ``/proc/net/netstat`` says of full queues: lines of names, each before one of figures.

    ``ListenDrops`` counts whatever was dropped, overflows included.
    """
    lines = [line.split() for line in netstat.splitlines()]
    counters: dict[str, str] = {}
    for names, figures in zip(lines[::2], lines[1::2], strict=False):
        counters.update(zip(names, figures, strict=False))
    known = [int(counters[name]) for name in ("ListenDrops", "ListenOverflows") if name in counters]
    return known[0] if known else None
