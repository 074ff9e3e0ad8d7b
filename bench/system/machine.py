"""Read the settings and the load of this machine that make timings vary. Used by the noise advice.

Each value comes with the file or call that it was read from; a value that cannot be read is None.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.system.cgroups import GROUPS, cpu_limits, throttle_counters
from bench.system.cpu_affinity import usable_processors

_PROCESSORS: Final = Path("sys/devices/system/cpu")
_GOVERNOR: Final = "cpufreq/scaling_governor"
_BOOST: Final = {
    _PROCESSORS / "intel_pstate/no_turbo": {"0": "on", "1": "off"},
    _PROCESSORS / "cpufreq/boost": {"1": "on", "0": "off"},
}
_SMT: Final = _PROCESSORS / "smt/active"


@dataclass(frozen=True, slots=True)
class Setting:
    """A word that was read.

    Attributes:
        source: the file or call that has it, or that should have had it.
    """

    value: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that was read.

    Attributes:
        source: the file or call that has it, or that should have had it.
    """

    value: float | None
    source: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The settings and the load of a machine at one moment.

    Attributes:
        cores: processors that this process may use.
        governor: all CPU frequency governors in use.
        boost: ``on`` where a processor may run above its nominal frequency while it is cool, or ``off``.
        smt: ``on`` where processors share cores, or ``off``.
        load: processes that ran or waited to, on average over the last minute.
        quota: the CPU limit of this container in cores; infinite without one.
        swapped: pages read from and written to swap space since the machine was started.
        throttling: the files that count how often a quota stopped this container, by the file of the quota.
    """

    cores: Figure
    governor: Setting
    boost: Setting
    smt: Setting
    load: Figure
    quota: Figure
    swapped: Figure
    throttling: Mapping[str, Path] = field(default_factory=dict)


def read_machine(root: Path = Path("/")) -> Machine:
    """Read all settings and the load; tests pass another ``root`` of the file system."""
    return Machine(
        cores=Figure(len(usable_processors()) or os.cpu_count(), "sched_getaffinity(2)"),
        governor=_read_governor(root),
        boost=_read_boost(root),
        smt=Setting({"1": "on", "0": "off"}.get(_read(root / _SMT)), f"/{_SMT}"),
        load=_read_load(root),
        quota=_read_quota(root),
        swapped=Figure(swapped_pages(_read(root / "proc/vmstat")), "/proc/vmstat"),
        throttling=throttle_counters(root),
    )


def swapped_pages(vmstat: str) -> int | None:
    """Add up the pages swapped in and out in ``/proc/vmstat`` (proc(5)); return None if it has neither."""
    counters = dict(line.split() for line in vmstat.splitlines())
    pages = [int(counters[name]) for name in ("pswpin", "pswpout") if name in counters]
    return sum(pages) if pages else None


def _read_governor(root: Path) -> Setting:
    files = (root / _PROCESSORS).glob(f"cpu[0-9]*/{_GOVERNOR}")
    names = {name for file in files if (name := _read(file))}
    return Setting(", ".join(sorted(names)) or None, f"/{_PROCESSORS}/cpu*/{_GOVERNOR}")


def _read_boost(root: Path) -> Setting:
    for file, meanings in _BOOST.items():
        if (meaning := meanings.get(_read(root / file))) is not None:
            return Setting(meaning, f"/{file}")
    return Setting(None, f"/{_PROCESSORS / 'cpufreq/boost'}")


def _read_load(root: Path) -> Figure:
    words = _read(root / "proc/loadavg").split()
    return Figure(float(words[0]) if words else None, "/proc/loadavg")


def _read_quota(root: Path) -> Figure:
    limits = cpu_limits(root)
    if not limits:
        return Figure(None, f"/{GROUPS}/cpu.max")
    tightest = min(limits, key=lambda file: limits[file])
    return Figure(limits[tightest], tightest)


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
