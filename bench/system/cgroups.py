"""Read the CPU limits of this process's control groups, such as a container's (cgroups(7)).

A container sees its own group as the root of all; on a bare machine that root has no limits.
"""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

GROUPS: Final = Path("sys/fs/cgroup")
_OOM_COUNTERS: Final = ("memory.events", "memory.oom_control")
"""Files of versions 2 and 1; a line of them counts OOM kills."""


@dataclass(frozen=True, slots=True)
class _Mount:
    """A mounted hierarchy of control groups.

    Attributes:
        controller: the controller of version 1; empty for version 2.
        top: the group that the folder shows.
        folder: the place of the mount, below the root.
    """

    controller: str
    top: PurePosixPath
    folder: Path


def cpu_limits(root: Path) -> dict[str, float]:
    """Return the CPU limits of the control groups of this process, by file.

    They are in cores, those of its own group and of all above it. A group without a limit has infinitely many
    cores; files that cannot be read are left out.
    """
    return {_printable(file): cores for file, cores in _limit_files(root)}


def has_readable_groups(root: Path) -> bool:
    """Tell whether a control group of this process, or one above it, can be read."""
    return any((root / folder / "cgroup.procs").exists() for folder in _group_folders(root, "cpu"))


def throttle_counters(root: Path) -> dict[str, Path]:
    """Return the ``cpu.stat`` that counts the throttling by each finite limit, by the file of the limit.

    A limit without such a file is left out: whether it throttles is not known.
    """
    counters = {
        _printable(file): file.with_name("cpu.stat")
        for file, cores in _limit_files(root)
        if cores != math.inf
    }
    return {
        limit: root / file for limit, file in counters.items() if "nr_throttled" in _read_words(root / file)
    }


def count_oom_kills(root: Path) -> int | None:
    """Return how many processes of this process's own group were killed for want of memory.

    Return None if no file of the group counts them, as in the root group of a bare machine.
    """
    for folder in _group_folders(root, "memory"):
        for name in _OOM_COUNTERS:
            words = _read_words(root / folder / name)
            if (count := dict(zip(words[::2], words[1::2], strict=False)).get("oom_kill")) is not None:
                return int(count)
    return None


def _limit_files(root: Path) -> Iterator[tuple[Path, float]]:
    """Yield the files below the root that limit this process's group and those above it, with their cores."""
    for folder in _group_folders(root, "cpu"):
        quota_v2 = _read_words(root / folder / "cpu.max")
        quota_v1 = _read_words(root / folder / "cpu.cfs_quota_us")
        period_v1 = _read_words(root / folder / "cpu.cfs_period_us")
        for file, quota in (("cpu.max", quota_v2), ("cpu.cfs_quota_us", quota_v1 + period_v1)):
            if (cores := _cores(quota)) is not None:
                yield folder / file, cores


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
    mounts = list(_read_mounts(root))
    for line in filter(None, _read_text(root / "proc/self/cgroup").split("\n")):
        _, controllers, group = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        wanted = controller if controllers else ""
        usual = _Mount(wanted, PurePosixPath("/"), GROUPS / wanted)
        for mount in [each for each in mounts if each.controller == wanted] or [usual]:
            for each in _paths_within(mount, PurePosixPath(group)):
                yield mount.folder / each


def _paths_within(mount: _Mount, group: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield the paths of a group and those above it.

    They are relative to a mount, which may begin at one of them.
    """
    # the group of a process may lie outside of what its container has mounted; the container's own limits it
    is_within = ".." not in group.parts and group.is_relative_to(mount.top)
    path = group.relative_to(mount.top) if is_within else PurePosixPath()
    yield from (path, *path.parents)


def _read_mounts(root: Path) -> Iterator[_Mount]:
    """Yield the mounts of control groups, with one item for each controller of version 1."""
    for line in _read_text(root / "proc/self/mountinfo").split("\n"):
        words, _, rest = line.partition(" - ")
        match words.split(" "), rest.split(" "):
            case [_, _, _, top, folder, *_], [("cgroup" | "cgroup2") as kind, _, options]:
                for controller in options.split(",") if kind == "cgroup" else ("",):
                    yield _Mount(controller, PurePosixPath(_unescape(top)), Path(_unescape(folder)[1:]))


def _unescape(path: str) -> str:
    """Decode the octal escapes of mountinfo, such as those of spaces."""
    return re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), path)


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
