"""What is sampled of a tree of processes from outside, one probe a file.

A probe is a module with ``sample(pids)``, which looks at processes and returns figures by their names.
It may take as long as a fetch does, so it is for the warm-up only.
"""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from bench.system.processes import tree

SAMPLED: Final = ("memory", "handles")
"""The modules of this package."""


class Peaks:
    """The most that was seen of each figure, over samples of one tree of processes.

    Attributes:
        seen: by figure; empty before the first sample.
    """

    def __init__(self, probes: Iterable[str]) -> None:
        self._probes = [import_module(f"{__name__}.{name}") for name in probes if name in SAMPLED]
        self.seen: dict[str, float] = {}

    @property
    def is_watching(self) -> bool:
        """Tell whether there is anything to sample."""
        return bool(self._probes)

    def sample(self, root: int) -> None:
        """Look at a process and all below it."""
        pids = tree(root)
        for probe in self._probes:
            for name, value in probe.sample(pids).items():
                self.seen[name] = max(value, self.seen.get(name, 0.0))
