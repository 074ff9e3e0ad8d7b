"""Reading the machine: what of its settings and its load makes timings vary."""

import os
from pathlib import Path
from typing import Final

from bench.system.cgroups import quota
from bench.system.cpu_affinity import usable_processors
from bench.system.machine import Figure, Machine, Setting, swapped_pages

_PROCESSORS: Final = Path("sys/devices/system/cpu")
_GOVERNOR: Final = "cpufreq/scaling_governor"
_BOOST: Final = {
    _PROCESSORS / "intel_pstate/no_turbo": {"0": "on", "1": "off"},
    _PROCESSORS / "cpufreq/boost": {"1": "on", "0": "off"},
}
_SMT: Final = _PROCESSORS / "smt/active"


def read_machine(root: Path = Path("/")) -> Machine:
    """Read everything there is to read; tests have a root of their own."""
    return Machine(
        cores=Figure(_cores(), "sched_getaffinity(2)"),
        governor=_governor(root),
        boost=_boost(root),
        smt=Setting({"1": "on", "0": "off"}.get(_text(root / _SMT)), f"/{_SMT}"),
        load=_load(root),
        quota=quota(root),
        swapped=_swapped(root),
    )


def _cores() -> float | None:
    return len(usable_processors()) or os.cpu_count()


def _governor(root: Path) -> Setting:
    files = (root / _PROCESSORS).glob(f"cpu[0-9]*/{_GOVERNOR}")
    names = {name for file in files if (name := _text(file))}
    return Setting(", ".join(sorted(names)) or None, f"/{_PROCESSORS}/cpu*/{_GOVERNOR}")


def _boost(root: Path) -> Setting:
    for file, meanings in _BOOST.items():
        if (meaning := meanings.get(_text(root / file))) is not None:
            return Setting(meaning, f"/{file}")
    return Setting(None, f"/{_PROCESSORS / 'cpufreq/boost'}")


def _load(root: Path) -> Figure:
    words = _text(root / "proc/loadavg").split()
    return Figure(float(words[0]) if words else None, "/proc/loadavg")


def _swapped(root: Path) -> Figure:
    return Figure(swapped_pages(_text(root / "proc/vmstat")), "/proc/vmstat")


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except OSError:
        return ""
