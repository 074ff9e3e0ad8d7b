"""Count the threads and descriptors that a strategy leaves behind in its worker."""

import gc
import os
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from bench.api.deadline import count_watchdogs
from bench.worker.protocol import HeldResources

_GRACE_S: Final = 0.1
"""A thread that was told to end may need a moment, such as one of a pool that was not waited for."""
_POLL_EVERY_S: Final = 0.002
_PIPES: Final = (
    ("resource_tracker", "_resource_tracker", "_fd"),
    ("forkserver", "_forkserver", "_forkserver_alive_fd"),
)
"""Modules of ``multiprocessing`` with the objects and attributes that hold a pipe, or None."""
_RUNTIME_THREADS: Final[Mapping[str, str]] = {"pyqwest": "tokio-rt-worker", "pyreqwest": "pyreqwest"}
"""Libraries with a Tokio runtime that nothing ends, and the name of its threads, which come and go."""
_POOLS: Final[Mapping[str, str]] = {"distributed": "Dask-Offload"}
"""Libraries with a pool of Python threads that nothing ends, and how the names of its threads begin."""
_RUNTIME_DESCRIPTORS: Final = 3
"""Two of epoll, and one to wake it."""


def count_resources() -> HeldResources:
    """Count threads (those of C libraries too where ``/proc`` lists them) and open descriptors.

    The thread that watches the deadlines of fetches is ours, whenever it started, and is left out. So are
    the descriptors that ``multiprocessing`` keeps for the life of a process, and the runtimes that libraries
    in Rust keep as long: no strategy can close them.
    """
    threads = _count_entries("/proc/self/task") or threading.active_count()
    descriptors = _count_entries("/proc/self/fd") or _count_entries("/dev/fd")
    runtimes = _count_runtimes()
    return HeldResources(
        threads=threads - count_watchdogs() - runtimes.threads,
        descriptors=descriptors - _count_multiprocessing_pipes() - runtimes.descriptors,
    )


def _count_runtimes() -> HeldResources:
    """Count what the runtimes of loaded libraries hold until the process ends."""
    counts = [
        _count_threads_named(name) for library, name in _RUNTIME_THREADS.items() if library in sys.modules
    ]
    pools = [prefix for library, prefix in _POOLS.items() if library in sys.modules]
    pooled = sum(each.name.startswith(prefix) for prefix in pools for each in threading.enumerate())
    return HeldResources(sum(counts) + pooled, _RUNTIME_DESCRIPTORS * sum(map(bool, counts)))


def _count_multiprocessing_pipes() -> int:
    """Count the pipes to the resource tracker and the fork server of the standard library."""
    return sum(
        getattr(getattr(sys.modules.get(f"multiprocessing.{module}"), owner, None), name, None) is not None
        for module, owner, name in _PIPES
    )


def count_leaks(before: HeldResources) -> HeldResources:
    """Count the resources that were opened since ``before`` and are still open after a grace period."""
    deadline_s = time.monotonic() + _GRACE_S
    leaked = _opened_since(before)
    if leaked.threads or leaked.descriptors:
        gc.collect()  # a socket without references is not a leak
        leaked = _opened_since(before)
    while (leaked.threads or leaked.descriptors) and time.monotonic() < deadline_s:
        time.sleep(_POLL_EVERY_S)
        leaked = _opened_since(before)
    return leaked


def _opened_since(before: HeldResources) -> HeldResources:
    now = count_resources()
    return HeldResources(max(0, now.threads - before.threads), max(0, now.descriptors - before.descriptors))


def _count_threads_named(name: str) -> int:
    """Count the threads with a name, also those of C libraries; none where there is no ``/proc``."""
    found = 0
    for thread in _list_entries("/proc/self/task"):
        with suppress(OSError), open(f"/proc/self/task/{thread}/comm", encoding="utf-8") as file:  # noqa: PTH123
            found += file.read().rstrip("\n") == name
    return found


def _count_entries(folder: str) -> int:
    return len(_list_entries(folder))


def _list_entries(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208  pathlib opens as many files, and is slower
    except OSError:
        return []
