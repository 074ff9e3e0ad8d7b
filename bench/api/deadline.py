"""Limit the total time of a blocking fetch, independently of its library. Used by ``Job.client``.

Libraries time out between bytes, so an answer that drips never does, and a thread cannot be cancelled.
One thread per process therefore watches the fetches of all others, and raises an error in the thread of an
overdue one (``PyThreadState_SetAsyncExc``), once that thread has been seen to read on:

- The error is raised where the thread next runs Python code, which is where it was seen: in a function that
  reads from a connection, where libraries expect errors, and not in a lock or the bookkeeping of a pool.
- A function that reads several times, as that of urllib3-future, shows that it reads on by lasting longer
  than the library's own time-out.
- A thread that waits for bytes that never come is left to its library's own time-out. An error would have
  no effect until then, and might hit the library while it cleans up.
- A fetch belongs to the thread that takes it out of the table: its own when it ends, or the watchdog's when
  it is overdue. In the latter case the fetch's thread waits for the error to be set, and receives it before
  it goes on. Taking the error back would leave CPython 3.11 looking for it for ever, at each function call.

An event loop needs none of this; it has ``asyncio.timeout``. Nor do greenlets; see ``greenlet_deadline``.
"""

import os
import sys
from _thread import allocate_lock, get_ident
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bench.api.greenlet_deadline import GreenletWatchdog

_READ_FUNCTIONS: Final = frozenset({"read", "readinto", "recv", "recv_into"})
"""Functions that take bytes from a connection: of ``socket``, ``ssl`` and httpcore."""
_LOOPING_FUNCTION: Final = "__exchange_until"
"""A function that takes bytes several times, of urllib3-future."""
_RECHECK_DIVISOR: Final = 8
"""An overdue fetch that does not read is checked again after an eighth of the time that it is overdue."""
_MIN_RECHECK_S: Final = 0.001
_INTERRUPT_CHECKS: Final = 100
_NEVER: Final = float("inf")


class OverdueError(TimeoutError):
    """A fetch has exceeded its time limit."""


class Watchdog:
    """The fetches in progress in the threads of this process, with their deadlines."""

    def __init__(self) -> None:
        self._deadlines: set[tuple[int, float]] = set()
        self._raising = allocate_lock()
        self._opened = Condition()
        self._timeouts_s: list[float] = []
        self._frames: dict[tuple[int, float], FrameType] = {}
        self._wakes_s = _NEVER

    def start(self) -> None:
        """Start the thread that watches the deadlines."""
        Thread(target=self._watch, name="flagbench deadlines", daemon=True).start()

    @contextmanager
    def expect_fetches(self, timeout_s: float) -> Iterator[None]:
        """Watch fetches with this time limit.

        The watchdog need not be woken when one begins: it wakes up before any of them could be overdue.
        """
        with self._opened:
            self._timeouts_s.append(timeout_s)
            if perf_counter() + timeout_s < self._wakes_s:
                self._opened.notify()
        try:
            yield
        finally:
            with self._opened:
                self._timeouts_s.remove(timeout_s)

    def begin(self, due_s: float) -> None:
        """Register this thread's fetch, with a deadline by ``time.perf_counter()``."""
        self._deadlines.add((get_ident(), due_s))

    def end(self, due_s: float) -> None:
        """Remove this thread's fetch; afterwards it can no longer become overdue.

        Raises:
            OverdueError: it has just become overdue.
        """
        try:
            self._deadlines.remove((get_ident(), due_s))
        except KeyError:  # the watchdog has taken it
            with self._raising:
                pass
            for _ in range(_INTERRUPT_CHECKS):
                pass  # in each iteration, the interpreter checks whether there is an error to raise

    def _watch(self) -> None:
        with self._opened:
            while True:
                self._wakes_s = self._check_deadlines()
                self._opened.wait(
                    None if self._wakes_s == _NEVER else max(0.0, self._wakes_s - perf_counter())
                )

    def _check_deadlines(self) -> float:
        """Raise errors in overdue fetches; return the time of the next check."""
        now_s = perf_counter()
        next_s = now_s + min(self._timeouts_s, default=_NEVER)
        before, self._frames = self._frames, {}
        for thread, due_s in self._deadlines.copy():
            if due_s > now_s:
                next_s = min(next_s, due_s)
            elif not self._raise_if_reading(thread, due_s, before.get((thread, due_s))):
                next_s = min(next_s, now_s + max(_MIN_RECHECK_S, (now_s - due_s) / _RECHECK_DIVISOR))
        return next_s

    def _raise_if_reading(self, thread: int, due_s: float, before: FrameType | None) -> bool:
        """Raise an error in an overdue fetch if it has read on since ``before``; return whether it did."""
        import ctypes  # takes milliseconds, and most processes never need it

        with self._raising:
            frame = sys._current_frames().get(thread)  # noqa: SLF001  public, in spite of its name
            if frame is None:
                return False
            function = frame.f_code.co_name
            # had no byte come since it was due, the library's time-out would have ended it
            is_late = perf_counter() - due_s > max(self._timeouts_s, default=_NEVER)
            reads_on = frame is not before or (is_late and function == _LOOPING_FUNCTION)
            if before is None or not reads_on or function not in {*_READ_FUNCTIONS, _LOOPING_FUNCTION}:
                self._frames[thread, due_s] = frame
                return False
            with suppress(KeyError):  # it has just ended
                self._deadlines.remove((thread, due_s))
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(thread), ctypes.py_object(OverdueError)
                )
            return True


_watchdogs: list[Watchdog] = []
"""The watchdog of this process, once there is one."""


def process_watchdog() -> "Watchdog | GreenletWatchdog":
    """Return the watchdog of this process; the first call starts it."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        from bench.api.greenlet_deadline import GreenletWatchdog  # imports gevent, which is optional

        return GreenletWatchdog(OverdueError)
    if not _watchdogs:
        _watchdogs.append(Watchdog())
        _watchdogs[0].start()
    return _watchdogs[0]


def count_watchdogs() -> int:
    """Return the number of watchdog threads of this process, 0 or 1."""
    return len(_watchdogs)


os.register_at_fork(after_in_child=_watchdogs.clear)  # threads are not inherited
