"""Count the threads and descriptors that a strategy leaves behind in its worker."""

import gc
import os
import sys
import threading
import time
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


def count_resources() -> HeldResources:
    """Count threads (those of C libraries too where ``/proc`` lists them) and open descriptors.

    The thread that watches the deadlines of fetches is ours, whenever it started, and is left out. So are
    the descriptors that ``multiprocessing`` keeps for the life of a process: no strategy can close them.
    """
    threads = _count_entries("/proc/self/task") or threading.active_count()
    descriptors = _count_entries("/proc/self/fd") or _count_entries("/dev/fd")
    return HeldResources(
        threads=threads - count_watchdogs(),
        descriptors=descriptors - _count_multiprocessing_pipes(),
    )


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


def _count_entries(folder: str) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208  pathlib opens as many files, and is slower
    except OSError:
        return 0
