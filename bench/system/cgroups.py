"""Read the CPU limits of this process's control groups, such as a container's (cgroups(7)).

A container sees its own group as the root of all; on a bare machine that root has no limits.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

GROUPS: Final = Path("sys/fs/cgroup")


def cpu_limits(root: Path) -> dict[str, float]:
    """Return the CPU limits of this process's group and those above it, in cores, by the file of each.

    A group without a limit has infinitely many cores; files that cannot be read are left out.
    """
    found = {}
    for folder in _group_folders(root, "cpu"):
        quota_v2 = _read_words(root / folder / "cpu.max")
        quota_v1 = _read_words(root / folder / "cpu.cfs_quota_us")
        period_v1 = _read_words(root / folder / "cpu.cfs_period_us")
        for file, quota in (("cpu.max", quota_v2), ("cpu.cfs_quota_us", quota_v1 + period_v1)):
            if (cores := _cores(quota)) is not None:
                found[_printable(folder / file)] = cores
    return found


def _cores(quota: list[str]) -> float | None:
    """Divide a quota by its period; return None if one of them is missing."""
    match quota:
        case ["max" | "-1", *_]:
            return math.inf
        case [limit, period] if limit.isdecimal() and period.isdecimal() and int(period):
            return int(limit) / int(period)
        case _:
            return None


def _group_folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders, below the root, of this process's group and those above it, of both versions."""
    for line in filter(None, _read_text(root / "proc/self/cgroup").split("\n")):
        _, controllers, group = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            base = GROUPS / (controller if controllers else "")
            path = PurePosixPath(group)
            for each in (path, *path.parents):
                yield base / each.relative_to("/")


def _printable(file: Path) -> str:
    """Write a path as text; the name of a group may have other bytes."""
    return os.fsencode(f"/{file}").decode("utf-8", "replace")


def _read_words(file: Path) -> list[str]:
    return _read_text(file).split()


def _read_text(file: Path) -> str:
    try:
        return os.fsdecode(file.read_bytes())
    except OSError:
        return ""
