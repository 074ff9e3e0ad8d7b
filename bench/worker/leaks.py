"""What a process holds on to, and what of it a strategy has left behind."""

import gc
import os
import threading
import time
from typing import Final

from bench.api.deadline import watchdogs
from bench.worker.protocol import Holdings

_PATIENCE_S: Final = 0.1
"""What has been told to end may need a moment: a thread of a pool that nobody waited for."""
_LOOK_EVERY_S: Final = 0.002


def held_resources() -> Holdings:
    """Count threads, those of C libraries too where ``/proc`` tells, and open descriptors.

    The thread that watches the deadlines of fetches is ours, whenever it started.
    """
    threads = _entries("/proc/self/task") or threading.active_count()
    return Holdings(
        threads=threads - watchdogs(),
        descriptors=_entries("/proc/self/fd") or _entries("/dev/fd"),
    )


def leaked_since(before: Holdings) -> Holdings:
    """Count what there is more of than before, once what is about to go has gone."""
    patience_s = time.monotonic() + _PATIENCE_S
    left = _more(held_resources(), before)
    if left.threads or left.descriptors:
        gc.collect()  # a socket that nobody knows any more is no leak
        left = _more(held_resources(), before)
    while (left.threads or left.descriptors) and time.monotonic() < patience_s:
        time.sleep(_LOOK_EVERY_S)
        left = _more(held_resources(), before)
    return left


def _more(now: Holdings, before: Holdings) -> Holdings:
    return Holdings(max(0, now.threads - before.threads), max(0, now.descriptors - before.descriptors))


def _entries(folder: str) -> int:
    try:
        return len(os.listdir(folder))  # noqa: PTH208  pathlib would open no fewer, and take longer
    except OSError:
        return 0
