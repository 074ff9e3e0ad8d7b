"""Which cores the server, the worker and the harness may use, so that none of them gets in the others' way.

The siblings of a core share its execution units, so whole cores are given away.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from bench.model.cases import Experiment

_ENOUGH_FOR_THREE: Final = 3
_TOPOLOGY: Final = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Pinning:
    """The processors that each may use; all empty where they run wherever the system likes."""

    server: tuple[int, ...] = ()
    worker: tuple[int, ...] = ()
    harness: tuple[int, ...] = ()

    @property
    def worker_processors(self) -> int:
        """How many processors the worker can run on."""
        return len(self.worker) or len(self.processors) or os.cpu_count() or 1

    @property
    def processors(self) -> frozenset[int]:
        """All that the run may use; none where that cannot be told."""
        kept = frozenset((*self.server, *self.worker, *self.harness))
        return kept or usable_processors()


def plan(cores: Sequence[Sequence[int]]) -> Pinning:
    """Share out cores, each given by its processors.

    The harness waits while something is timed, so it shares the server's core where there are only two;
    a single core has to do for everything.
    """
    if len(cores) < 2:  # noqa: PLR2004  one for the server, one for the worker
        return Pinning()
    first, second, *others = (tuple(core) for core in cores)
    if len(cores) < _ENOUGH_FOR_THREE:
        return Pinning(server=first, worker=second, harness=first)
    return Pinning(server=first, worker=tuple(sorted(chain.from_iterable(others))), harness=second)


def plan_pinning(experiment: Experiment) -> Pinning:
    """Plan for what an experiment wants, with the cores that this process may use."""
    return plan(usable_cores()) if experiment.pinning else Pinning()


def usable_cores() -> list[tuple[int, ...]]:
    """Return the cores that this process may use, each as its processors; none where it cannot be told."""
    if sys.platform != "linux":
        return []
    usable = sorted(os.sched_getaffinity(0))
    cores: dict[str, list[int]] = {}
    for processor in usable:
        cores.setdefault(_siblings(processor), []).append(processor)
    return [tuple(processors) for processors in cores.values()]


def usable_processors() -> frozenset[int]:
    """Return the processors that this process may use; none where it cannot be told."""
    return frozenset(chain.from_iterable(usable_cores()))


@contextmanager
def restrict_to(processors: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and what it starts, to some processors; none of them changes nothing."""
    if not processors:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _siblings(processor: int) -> str:
    try:
        return (_TOPOLOGY / f"cpu{processor}/topology/thread_siblings_list").read_text("ascii").strip()
    except OSError:
        return str(processor)
