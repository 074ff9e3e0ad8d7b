"""How much processor time the control groups of this process, such as a container, leave it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.system.control_groups import GROUPS, groups, shown, words
from bench.system.findings import Figure

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
