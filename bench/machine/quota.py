"""How much processor time the control groups of this process, such as a container, leave it (cgroups(7))."""

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from bench.machine.findings import Figure

_GROUPS: Final = Path("sys/fs/cgroup")
_VERSION_2: Final = "cpu.max"
_VERSION_1: Final = "cpu.cfs_quota_us"


def quota(root: Path) -> Figure:
    """Return the tightest limit in cores, of this process's group and those above; infinite without one.

    A container sees its own group as the root of all; on a bare machine that root has no such file.
    """
    limits = dict(_limits(root))
    if not limits:
        return Figure(None, f"/{_GROUPS}/{_VERSION_2}")
    tightest = min(limits, key=lambda source: limits[source])
    return Figure(limits[tightest], tightest)


def _limits(root: Path) -> Iterator[tuple[str, float]]:
    """Yield each limit in cores, by the file that has it."""
    for folder in _folders(root):
        if words := _words(root / folder / _VERSION_2):
            yield f"/{folder / _VERSION_2}", _cores(*words)
        if words := _words(root / folder / _VERSION_1):
            yield f"/{folder / _VERSION_1}", _cores(*words, *_words(root / folder / "cpu.cfs_period_us"))


def _folders(root: Path) -> Iterator[Path]:
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, group = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            base = _GROUPS / ("cpu" if controllers else "")
            path = PurePosixPath(group)
            for each in (path, *path.parents):
                yield base / each.relative_to("/")


def _cores(limit: str, period: str) -> float:
    return math.inf if limit in {"max", "-1"} else int(limit) / int(period)


def _words(file: Path) -> list[str]:
    return [word for line in _lines(file) for word in line.split()]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("ascii").splitlines()
    except OSError:
        return []
