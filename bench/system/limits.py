"""Read the limits of this machine on a run: open files, ports and disk space.

Each value comes with the file or call that it was read from. A value that cannot be read is None, never zero.
"""

import math
import os
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.system.machine import Figure

_PORT_RANGE: Final = Path("proc/sys/net/ipv4/ip_local_port_range")
_REUSE: Final = Path("proc/sys/net/ipv4/tcp_tw_reuse")
_TIME_WAIT_S: Final = 60.0
_REUSED_AFTER_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The free space of a file system.

    Attributes:
        device: identifies the file system.
        free_bytes: bytes that this user may write.
    """

    device: int
    free_bytes: Figure


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of this machine on a run.

    Attributes:
        open_files: descriptors of each process, once it has raised its own limit.
        ports: local ports for connections to one address.
        time_wait_s: seconds for which a port is blocked after a connection over the loopback interface.
        workspace: disk space for temporary files.
        results: disk space for the folder of the run.
    """

    open_files: Figure
    ports: Figure
    time_wait_s: Figure
    workspace: DiskSpace
    results: DiskSpace


def read_limits(
    workspace: Path, results: Path, root: Path = Path("/"), *, is_in_memory: bool = False
) -> Limits:
    """Read all limits; tests pass another ``root`` of the file system.

    Args:
        workspace: folder of temporary files.
        results: folder of results.
        root: root of the file system.
        is_in_memory: whether the folder of temporary files is in memory, which may have less room.
    """
    space = read_disk_space(workspace)
    _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Limits(
        open_files=Figure(
            math.inf if open_files == resource.RLIM_INFINITY else open_files, "RLIMIT_NOFILE, hard limit"
        ),
        ports=_read_ports(root),
        time_wait_s=_read_time_wait_s(root),
        workspace=_limit_by_memory(space, root) if is_in_memory else space,
        results=read_disk_space(results),
    )


def read_disk_space(folder: Path) -> DiskSpace:
    """Read the free space of the file system in which a folder is, or would be made."""
    existing = next((each for each in (folder, *folder.absolute().parents) if _exists(each)), Path("/"))
    source = f"statvfs(3) of {existing}"
    try:
        found, device = os.statvfs(existing), existing.stat().st_dev
    except OSError:
        return DiskSpace(-1, Figure(None, source))
    blocks = found.f_bfree if os.geteuid() == 0 else found.f_bavail
    return DiskSpace(device, Figure(blocks * found.f_frsize, source))


def _limit_by_memory(space: DiskSpace, root: Path) -> DiskSpace:
    """Limit the free space of a file system in memory by the memory that is available."""
    try:
        lines = (root / "proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return space
    found = next((line.split() for line in lines if line.startswith("MemAvailable:")), [])
    if len(found) < 2 or not found[1].isdecimal():  # noqa: PLR2004  a name and a number of KiB
        return space
    available, free = int(found[1]) * 1024, space.free_bytes.value
    if free is not None and free <= available:
        return space
    return DiskSpace(space.device, Figure(available, "MemAvailable in /proc/meminfo"))


def raise_limit() -> None:
    """Raise this process's limit of open files, which its children inherit, to the hard limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems call a limit infinite that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long, or we may not look into its folder
        return False


def _read_ports(root: Path) -> Figure:
    match _read_words(root / _PORT_RANGE):
        case [low, high] if low.isdecimal() and high.isdecimal():
            return Figure(int(high) - int(low) + 1, f"/{_PORT_RANGE}")
    return Figure(None, f"/{_PORT_RANGE}")


def _read_time_wait_s(root: Path) -> Figure:
    """Return how long TIME_WAIT blocks a port: a second where the kernel reuses those of the loopback."""
    seconds = {"0": _TIME_WAIT_S, "1": _REUSED_AFTER_S, "2": _REUSED_AFTER_S}
    return Figure(seconds.get(" ".join(_read_words(root / _REUSE))), f"/{_REUSE}")


def _read_words(file: Path) -> list[str]:
    try:
        return file.read_text("ascii", "replace").split()
    except OSError:
        return []
