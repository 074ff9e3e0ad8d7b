"""What a process and all below it hold at one moment: memory, threads, descriptors."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.machine.processes import tree

_KIB: Final = 1024


class Peaks:
    """The most that was seen of each figure, over samples of one tree of processes.

    Attributes:
        seen: by figure; empty before the first sample.
    """

    def __init__(self, probes: Iterable[str]) -> None:
        self._samplers = [_SAMPLERS[name] for name in probes if name in _SAMPLERS]
        self.seen: dict[str, float] = {}

    @property
    def is_watching(self) -> bool:
        """Tell whether there is anything to sample."""
        return bool(self._samplers)

    def sample(self, root: int) -> None:
        """Look at a process and all below it."""
        pids = tree(root)
        for sampler in self._samplers:
            for name, value in sampler(pids).items():
                self.seen[name] = max(value, self.seen.get(name, 0.0))


def memory(pids: Sequence[int]) -> Mapping[str, float]:
    """Add up the memory of processes, in bytes; what they share counts once (*proportional set size*)."""
    sizes = [_proportional_bytes(pid) for pid in pids]
    return {"memory_bytes": float(sum(sizes))}


def handles(pids: Sequence[int]) -> Mapping[str, float]:
    """Count threads and open descriptors of processes."""
    return {
        "threads": float(sum(_entries(Path(f"/proc/{pid}/task")) for pid in pids)),
        "descriptors": float(sum(_entries(Path(f"/proc/{pid}/fd")) for pid in pids)),
    }


_SAMPLERS: Final[Mapping[str, Callable[[Sequence[int]], Mapping[str, float]]]] = {
    "memory": memory,
    "handles": handles,
}


def _proportional_bytes(pid: int) -> int:
    for file, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text("ascii", "replace").splitlines()
        except OSError:  # it has ended, or the kernel keeps no such account
            continue
        found = next((line for line in lines if line.startswith(key)), None)
        if found is not None:
            return int(found.split()[1]) * _KIB
    return 0


def _entries(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 0
