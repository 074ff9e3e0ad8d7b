"""Share one schedule of starts between all threads, event loops and processes of a trial. Used by ``Job``.

A file holds the schedule by ``time.perf_counter()``, which is one clock for all processes of a machine. To
start a request, a worker reads the file and moves it on, while it holds a lock of it. There are two rules:

- with a limit, the file has the time of the next start, and a late one puts off all others;
- with an open loop, it has the start of the schedule and the number of starts that were taken: the k-th is
  due at its time, however late those before it were.

Only jobs with a rate import this.
"""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

_TIME: Final = struct.Struct("d")
_PLACE: Final = struct.Struct("dQ")


def create_schedule(file: str, first_s: float) -> None:
    """Create the file of a schedule with a limit; the first start is at this time."""
    with open(file, "xb") as written:  # noqa: PTH123  pathlib is heavy
        written.write(_TIME.pack(first_s))


def reserve_start_s(file: str, rate: float) -> float:
    """Reserve the next start within a limit, and return the seconds until it comes.

    Raises:
        OSError: the file is gone; nothing may be started without it.
    """
    with _locked(file) as descriptor:
        now_s = perf_counter()
        next_s: float = _TIME.unpack(os.pread(descriptor, _TIME.size, 0))[0]
        start_s = max(now_s, next_s)
        os.pwrite(descriptor, _TIME.pack(start_s + 1 / rate), 0)
    return max(0.0, start_s - now_s)


def create_open_schedule(file: str) -> None:
    """Create the file of an open loop, whose schedule begins later."""
    with open(file, "xb") as written:  # noqa: PTH123  pathlib is heavy
        written.write(_PLACE.pack(0.0, 0))


def begin_open_schedule(file: str, first_s: float) -> None:
    """Begin a schedule of an open loop: the first start is due at this time, and none is taken.

    Raises:
        OSError: the file is gone.
    """
    with _locked(file) as descriptor:
        os.pwrite(descriptor, _PLACE.pack(first_s, 0), 0)


def take_start(file: str, rate: float) -> float:
    """Take the next start of an open loop, and return when it is due.

    Raises:
        OSError: the file is gone; nothing may be started without it.
    """
    with _locked(file) as descriptor:
        first_s, taken = _PLACE.unpack(os.pread(descriptor, _PLACE.size, 0))
        os.pwrite(descriptor, _PLACE.pack(first_s, taken + 1), 0)
    return due_s(first_s, taken, rate)


def due_s(first_s: float, number: int, rate: float) -> float:
    """Return when a start of an open loop is due; they are numbered from 0."""
    return first_s + number / rate


@contextmanager
def _locked(file: str) -> Iterator[int]:
    """Open a schedule and lock it; a descriptor of its own has a lock of its own, so threads wait, too."""
    descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
