"""Limit the rate of requests over all threads, event loops and processes of a trial. Used by ``Job``.

A file holds the time of the next start by ``time.perf_counter()``, which is one clock for all processes of a
machine. To start a request, a worker takes that time and moves it on, while it holds a lock of the file. Only
jobs with a limit import this.
"""

import fcntl
import os
import struct
from time import perf_counter
from typing import Final

_TIME: Final = struct.Struct("d")


def create_schedule(file: str, first_s: float) -> None:
    """Create the file of a schedule; the first start is at this time."""
    with open(file, "xb") as written:  # noqa: PTH123  pathlib is heavy
        written.write(_TIME.pack(first_s))


def reserve_start_s(file: str, rate: float) -> float:
    """Reserve the next start, and return the seconds until it comes.

    Raises:
        OSError: the file is gone; nothing may be started without it.
    """
    # a descriptor of its own has a lock of its own, so that threads exclude each other, too
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        now_s = perf_counter()
        next_s: float = _TIME.unpack(os.pread(descriptor, _TIME.size, 0))[0]
        start_s = max(now_s, next_s)
        os.pwrite(descriptor, _TIME.pack(start_s + 1 / rate), 0)
    finally:
        os.close(descriptor)
    return max(0.0, start_s - now_s)
