"""What the machine allows a run: files, processes, memory, ports and disk, each with where that is said.

``None`` is what cannot be read here; it is never taken for nothing.
"""

import math
import os
import resource
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.system.cgroups import groups, shown, words
from bench.system.cpu_affinity import usable_cores
from bench.system.machine import Figure

_KIB: Final = 1024
_PORTS: Final = Path("proc/sys/net/ipv4/ip_local_port_range")
_REUSE: Final = Path("proc/sys/net/ipv4/tcp_tw_reuse")
_TIME_WAIT_S: Final = 60.0
_REUSED_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be written below a folder.

    Attributes:
        folder: the folder, or the nearest above it that there is.
        device: what tells its file system from others.
        free_bytes: what this user may fill.
        files: how many files may be made.
    """

    folder: Path
    device: int
    free_bytes: Figure
    files: Figure


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may have.

    Attributes:
        open_files: of each process, once it has raised its own limit.
        cores: that this process may use.
        tasks: threads and processes that may be started beside those that run.
        memory: bytes that are free, or would be made so.
        most_memory: bytes that there are at all, swap included.
        ports: that connections can go out from, to one address.
        port_rest_s: how long one rests after a connection over the loopback interface.
        workspace: where temporary files go.
        results: where the run is kept.
    """

    open_files: Figure
    cores: Figure
    tasks: Figure
    memory: Figure
    most_memory: Figure
    ports: Figure
    port_rest_s: Figure
    workspace: Room
    results: Room


def read_limits(workspace: Path, results: Path, root: Path = Path("/")) -> Limits:
    """Read everything there is to read; tests have a root of their own."""
    memory = _table(root / "proc/meminfo")
    available = [memory[name] for name in ("MemAvailable",) if name in memory]
    total = [memory["MemTotal"] + memory.get("SwapTotal", 0)] if "MemTotal" in memory else []
    return Limits(
        open_files=Figure(
            _endless(resource.getrlimit(resource.RLIMIT_NOFILE)[1]), "RLIMIT_NOFILE, hard limit"
        ),
        cores=Figure(len(usable_cores()) or None, "sched_getaffinity(2)"),
        tasks=tightest(_tasks(root), "/proc/sys/kernel/threads-max"),
        memory=tightest((*_figures(available), *_group_memory_left(root)), "/proc/meminfo"),
        most_memory=tightest((*_figures(total), *_group_memory(root)), "/proc/meminfo"),
        ports=_ports(root),
        port_rest_s=_port_rest_s(root),
        workspace=room(workspace),
        results=room(results),
    )


def tightest(figures: Iterable[Figure], source: str) -> Figure:
    """Return the least of what could be read; unknown, from ``source``, if nothing could."""
    known = {figure: figure.value for figure in figures if figure.value is not None}
    return min(known, key=lambda figure: known[figure], default=Figure(None, source))


def room(folder: Path) -> Room:
    """Look at the file system on which a folder is, or would be made."""
    there = next((each for each in (folder, *folder.absolute().parents) if _is_there(each)), Path("/"))
    source = f"statvfs(3) of {there}"
    try:
        found, device = os.statvfs(there), there.stat().st_dev
    except OSError:
        return Room(there, -1, Figure(None, source), Figure(None, source))
    blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    # file systems such as Btrfs count no files
    files = found.f_ffree if found.f_files else math.inf
    return Room(there, device, Figure(blocks * found.f_frsize, source), Figure(files, source))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long, or it lies where we may not look
        return False


def _tasks(root: Path) -> Iterator[Figure]:
    running = _running(root)
    for name in ("threads-max", "pid_max"):
        most = _number(root / "proc/sys/kernel" / name)
        if most is not None and running is not None:
            yield Figure(most - running, f"/proc/sys/kernel/{name}")
    limit = _endless(resource.getrlimit(resource.RLIMIT_NPROC)[0])
    if os.geteuid() != 0 and limit != math.inf:  # the superuser is exempt
        yield Figure(limit - _of_user(root, os.getuid()), "RLIMIT_NPROC")
    for folder in groups(root, "pids"):
        most, used = _number(root / folder / "pids.max"), _number(root / folder / "pids.current")
        if most is not None and used is not None:
            yield Figure(most - used, shown(folder / "pids.max"))


def _running(root: Path) -> int | None:
    """Return how many threads there are, by the fourth word of ``/proc/loadavg`` (proc(5))."""
    match words(root / "proc/loadavg"):
        case [_, _, _, counts, *_] if (total := counts.rpartition("/")[2]).isdecimal():
            return int(total)
    return None


def _of_user(root: Path, user: int) -> int:
    """Count the threads of a user."""
    threads = 0
    for process in (root / "proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            if process.stat().st_uid == user:
                threads += sum(1 for _ in (process / "task").iterdir())
    return threads


def _group_memory_left(root: Path) -> Iterator[Figure]:
    for folder in groups(root, "memory"):
        for most_file, used_file in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            most, used = _number(root / folder / most_file), _number(root / folder / used_file)
            if most is not None and used is not None:
                # what the group has read of files counts as used, and is given back when it is needed
                cached = _table(root / folder / "memory.stat").get("inactive_file", 0)
                yield Figure(most - used + cached, shown(folder / most_file))


def _group_memory(root: Path) -> Iterator[Figure]:
    for folder in groups(root, "memory"):
        for file in ("memory.max", "memory.limit_in_bytes"):
            if (most := _number(root / folder / file)) is not None:
                yield Figure(most, shown(folder / file))


def _ports(root: Path) -> Figure:
    match words(root / _PORTS):
        case [low, high] if low.isdecimal() and high.isdecimal():
            return Figure(int(high) - int(low) + 1, f"/{_PORTS}")
    return Figure(None, f"/{_PORTS}")


def _port_rest_s(root: Path) -> Figure:
    """Return for how long TIME_WAIT keeps a port: a second where the kernel reuses those of the loopback."""
    rests_s = {"0": _TIME_WAIT_S, "1": _REUSED_AFTER_S, "2": _REUSED_AFTER_S}
    return Figure(rests_s.get(" ".join(words(root / _REUSE))), f"/{_REUSE}")


def _figures(sizes_bytes: Iterable[int]) -> Iterator[Figure]:
    yield from (Figure(size, "/proc/meminfo") for size in sizes_bytes)


def _table(file: Path) -> dict[str, int]:
    """Read lines of a name and a number, which may be one of KiB."""
    try:
        lines = [line.replace(":", " ").split() for line in file.read_text("ascii", "replace").splitlines()]
    except OSError:
        return {}
    return {
        line[0]: int(line[1]) * (_KIB if line[2:] == ["kB"] else 1)
        for line in lines
        if len(line) > 1 and line[1].isdecimal()
    }


def _number(file: Path) -> int | None:
    """Read one number; nothing where it is called *max*."""
    match words(file):
        case [number] if number.isdecimal():
            return int(number)
    return None


def _endless(limit: int) -> float:
    return math.inf if limit == resource.RLIM_INFINITY else limit


def raise_limit() -> None:
    """Let this process, and what it starts, have as many open files as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems call a limit infinite that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
