"""What is measured of a round beside its time, one probe a file.

A probe is a module with ``begin()``, which starts it and returns what ends it. ``end()`` says what was
seen, as figures by their names, of the fetches that the strategy returned. Both are called outside the
timed region; what a probe does within it must cost next to nothing (``make benchmarks`` shows it).
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TypeAlias

from bench.api import Fetch

Figures: TypeAlias = Mapping[str, float]
End: TypeAlias = Callable[[Sequence[Fetch]], Figures]


class Probing:
    """The probes of one round."""

    def __init__(self, names: Sequence[str]) -> None:
        self._begin = [import_module(f"bench.worker.probes.{name}").begin for name in names]
        self._ends: list[End] = []

    def begin(self) -> None:
        """Start every probe; the one that was named last is started last, and ended first."""
        self._ends = [begin() for begin in self._begin]

    def end(self, fetches: Sequence[Fetch]) -> Figures:
        """End every probe and put together what they saw."""
        seen: dict[str, float] = {}
        for end in reversed(self._ends):
            seen.update(end(fetches))
        return seen
