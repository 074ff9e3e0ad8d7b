"""Sample memory, threads and open descriptors of a process tree from outside.

The runner does so while a worker warms up, and never while it is timed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.system.process_tree import process_and_descendants

_KIB: Final = 1024
_MEMORY_FILES: Final = (("smaps_rollup", "Pss:"), ("status", "VmRSS:"))
"""The resident size has to do where the kernel keeps no proportional one."""


def sample_memory(pids: Sequence[int]) -> Mapping[str, float]:
    """Add up the memory of running processes in bytes; shared pages count once (PSS, proc(5))."""
    known = [size for pid in pids if (size := _memory_bytes(pid)) is not None]
    return {"memory_bytes": float(sum(known))} if known else {}


def sample_handles(pids: Sequence[int]) -> Mapping[str, float]:
    """Count the threads and open descriptors of running processes."""
    return {**_count_entries("threads", "task", pids), **_count_entries("descriptors", "fd", pids)}


def _memory_bytes(pid: int) -> int | None:
    for file, key in _MEMORY_FILES:
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text("ascii", "replace").splitlines()
        except OSError:  # the process has ended, or the kernel has no such file
            continue
        found = next((line for line in lines if line.startswith(key)), None)
        if found is not None:
            return int(found.split()[1]) * _KIB
    return None


def _count_entries(name: str, folder: str, pids: Sequence[int]) -> Mapping[str, float]:
    known = [count for pid in pids if (count := _entries(Path(f"/proc/{pid}/{folder}"))) is not None]
    return {name: float(sum(known))} if known else {}


def _entries(folder: Path) -> int | None:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:  # the process has ended
        return None


PROCESS_PROBES: Final[Mapping[str, Callable[[Sequence[int]], Mapping[str, float]]]] = {
    "memory": sample_memory,
    "handles": sample_handles,
}
"""Each probe by its name in a config; docs/architecture.md lists the places of a new one."""


class Peaks:
    """The highest value of each figure over samples of one process tree.

    Attributes:
        seen: highest value by figure; empty before the first sample.
    """

    def __init__(self, probes: Iterable[str]) -> None:
        self._probes = [PROCESS_PROBES[name] for name in probes if name in PROCESS_PROBES]
        self.seen: dict[str, float] = {}

    @property
    def is_watching(self) -> bool:
        """Whether there is anything to sample."""
        return bool(self._probes)

    def sample(self, root: int) -> None:
        """Sample a process and all below it, and keep the highest values."""
        pids = process_and_descendants(root)
        for probe in self._probes:
            for name, value in probe(pids).items():
                self.seen[name] = max(value, self.seen.get(name, 0.0))
