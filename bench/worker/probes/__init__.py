"""Measure more than the elapsed time of a round, with one probe a file. Used by the trial.

A probe is a module with ``begin()``, which starts it and returns a function that ends it. ``end(fetches)``
returns the measured values by figure, for the fetches that the strategy returned. Both are called outside
the timed region; within it, a probe must cost next to nothing (``make benchmarks`` shows it).
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TypeAlias

from bench.api import Fetch

Figures: TypeAlias = Mapping[str, float]
End: TypeAlias = Callable[[Sequence[Fetch]], Figures]


class RoundProbes:
    """The probes of one round."""

    def __init__(self, names: Sequence[str]) -> None:
        self._begin = [import_module(f"bench.worker.probes.{name}").begin for name in names]
        self._ends: list[End] = []

    def begin(self) -> None:
        """Start every probe; the last name starts last and ends first."""
        self._ends = [begin() for begin in self._begin]

    def end(self, fetches: Sequence[Fetch]) -> Figures:
        """End every probe and return the figures of all."""
        figures: dict[str, float] = {}
        for end in reversed(self._ends):
            figures.update(end(fetches))
        return figures
