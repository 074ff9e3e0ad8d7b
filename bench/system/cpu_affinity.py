"""Assign CPU cores to the flag server, the worker and the harness.

They must not disturb each other. The siblings of a core share its execution units, so whole cores are
assigned.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

_ONE_EACH: Final = 3
_TOPOLOGY: Final = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Pinning:
    """The processors that each process may use; all empty where the system decides."""

    server: tuple[int, ...] = ()
    worker: tuple[int, ...] = ()
    harness: tuple[int, ...] = ()

    @property
    def worker_processors(self) -> int:
        """The number of processors that the worker can run on."""
        return len(self.worker) or len(self.processors) or os.cpu_count() or 1

    @property
    def trial_processors(self) -> frozenset[int]:
        """The processors that a trial may use; empty where they are unknown."""
        return frozenset((*self.server, *self.worker)) or usable_processors()

    @property
    def processors(self) -> frozenset[int]:
        """All processors that the run may use; empty where they are unknown."""
        return frozenset((*self.server, *self.worker, *self.harness)) or usable_processors()


def assign_cores(cores: Sequence[Sequence[int]]) -> Pinning:
    """Assign cores, each given by its processors.

    The harness waits while something is timed, so it shares the server's core where there are only two;
    with a single core nothing is pinned.
    """
    if len(cores) < 2:  # noqa: PLR2004  one for the server, one for the worker
        return Pinning()
    first, second, *others = (tuple(core) for core in cores)
    if len(cores) < _ONE_EACH:
        return Pinning(server=first, worker=second, harness=first)
    return Pinning(server=first, worker=tuple(sorted(chain.from_iterable(others))), harness=second)


def usable_cores() -> list[tuple[int, ...]]:
    """Return the cores that this process may use, each as its processors; none where they are unknown."""
    if sys.platform != "linux":
        return []
    cores: dict[str, list[int]] = {}
    for processor in sorted(os.sched_getaffinity(0)):
        cores.setdefault(_siblings(processor), []).append(processor)
    return [tuple(processors) for processors in cores.values()]


def usable_processors() -> frozenset[int]:
    """Return the processors that this process may use; none where they are unknown."""
    return frozenset(chain.from_iterable(usable_cores()))


@contextmanager
def restrict_to(processors: Sequence[int]) -> Iterator[None]:
    """Restrict this thread, and processes that it starts, to some processors; none means no restriction."""
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
