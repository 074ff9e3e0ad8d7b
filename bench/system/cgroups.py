"""The control groups of this process, such as a container's, and what their files say (cgroups(7)).

A container sees its own group as the root of all; on a bare machine that root has no limits.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from bench.system.machine import Figure

GROUPS: Final = Path("sys/fs/cgroup")


def groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's group and of those above, below the root, by either version."""
    for line in filter(None, _lines(root / "proc/self/cgroup")):
        _, controllers, group = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            base = GROUPS / (controller if controllers else "")
            path = PurePosixPath(group)
            for each in (path, *path.parents):
                yield base / each.relative_to("/")


def words(file: Path) -> list[str]:
    """Return the words of a file; none if it cannot be read."""
    return [word for line in _lines(file) for word in line.split()]


def shown(file: Path) -> str:
    """Write the path of a file below the root; whoever names groups may use bytes that are no text."""
    return os.fsencode(f"/{file}").decode("utf-8", "replace")


def _lines(file: Path) -> list[str]:
    try:
        return os.fsdecode(file.read_bytes()).split("\n")
    except OSError:
        return []


_VERSION_2: Final = "cpu.max"
_VERSION_1: Final = "cpu.cfs_quota_us"
_PERIOD: Final = "cpu.cfs_period_us"


def quota(root: Path) -> Figure:
    """Return the tightest limit in cores, of this process's group and those above; infinite without one."""
    limits = dict(_limits(root))
    if not limits:
        return Figure(None, f"/{GROUPS}/{_VERSION_2}")
    tightest = min(limits, key=lambda source: limits[source])
    return Figure(limits[tightest], tightest)


def _limits(root: Path) -> Iterator[tuple[str, float]]:
    """Yield each limit in cores, by the file that has it."""
    for folder in groups(root, "cpu"):
        if (cores := _cores(words(root / folder / _VERSION_2))) is not None:
            yield shown(folder / _VERSION_2), cores
        version_1 = words(root / folder / _VERSION_1) + words(root / folder / _PERIOD)
        if (cores := _cores(version_1)) is not None:
            yield shown(folder / _VERSION_1), cores


def _cores(found: list[str]) -> float | None:
    """Return limit ÷ period; ``None`` where one of them could not be read."""
    match found:
        case ["max" | "-1", *_]:
            return math.inf
        case [limit, period] if limit.isdecimal() and period.isdecimal() and int(period):
            return int(limit) / int(period)
        case _:
            return None
