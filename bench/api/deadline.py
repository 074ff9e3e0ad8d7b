"""The time that a blocking fetch may take in all, whatever its library counts.

Libraries time out between bytes, so an answer that drips never does, and a thread cannot be cancelled.
One thread a process therefore looks after the fetches of all others, and has an overdue one fail in
its own thread (``PyThreadState_SetAsyncExc``), once that has been seen to read on:

- The error is raised where the thread has got to when it next runs, which is where it was seen: in a
  function that reads from a connection, where libraries expect to fail, and in no lock and no bookkeeping
  of a pool.
- A thread that waits for bytes that never come is left to its library's own time-out. To strike it would do
  nothing until then, and might hit the library as it tidies up.
- A fetch belongs to whoever takes it out of the table, the thread that ends it or the one that ends its
  time; in the latter case the fetch's thread waits for the strike and lets itself be hit before it goes on.
  To take the error back would leave CPython 3.11 looking for it for ever, at each function call.

An event loop needs none of this; it has ``asyncio.timeout``.
"""

import os
import sys
from _thread import allocate_lock, get_ident
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from types import FrameType
from typing import Final

_READING: Final = frozenset({"read", "readinto", "recv", "recv_into"})
"""Functions that take bytes from a connection: of ``socket``, ``ssl`` and httpcore."""
_PATIENCE: Final = 8
"""What is overdue and not reading is looked at again after an eighth of the time it is overdue."""
_SOONEST_S: Final = 0.001
_MOMENT: Final = 100
_NEVER: Final = float("inf")


class OverdueError(TimeoutError):
    """A fetch has used up its time."""


class Watchdog:
    """Fetches under way in the threads of this process, and when their time is over."""

    def __init__(self) -> None:
        from threading import Condition

        self._due: set[tuple[int, float]] = set()
        self._striking = allocate_lock()
        self._opened = Condition()
        self._time_outs_s: list[float] = []
        self._overdue: dict[tuple[int, float], FrameType] = {}
        self._wakes_s = _NEVER

    def start(self) -> None:
        """Start the thread that looks on."""
        from threading import Thread

        Thread(target=self._watch, name="flagbench deadlines", daemon=True).start()

    @contextmanager
    def watching(self, timeout_s: float) -> Iterator[None]:
        """Expect fetches that may take this long.

        Nobody need be woken when one begins: until then, it is enough to wake up before any could be over.
        """
        with self._opened:
            self._time_outs_s.append(timeout_s)
            if perf_counter() + timeout_s < self._wakes_s:
                self._opened.notify()
        try:
            yield
        finally:
            with self._opened:
                self._time_outs_s.remove(timeout_s)

    def begin(self, due_s: float) -> None:
        """Take note of this thread's fetch, to be over at ``due_s`` of ``time.perf_counter()``."""
        self._due.add((get_ident(), due_s))

    def end(self, due_s: float) -> None:
        """Forget this thread's fetch that was to be over at ``due_s``; after that nothing is struck.

        Raises:
            OverdueError: it was being struck just now.
        """
        try:
            self._due.remove((get_ident(), due_s))
        except KeyError:  # the watchdog has taken it
            with self._striking:
                pass
            for _ in range(_MOMENT):
                pass  # each time round, the interpreter looks whether there is something to raise

    def _watch(self) -> None:
        with self._opened:
            while True:
                self._wakes_s = self._look()
                self._opened.wait(
                    None if self._wakes_s == _NEVER else max(0.0, self._wakes_s - perf_counter())
                )

    def _look(self) -> float:
        """Strike what is overdue; return when to look again."""
        now_s = perf_counter()
        again_s = now_s + min(self._time_outs_s, default=_NEVER)
        before, self._overdue = self._overdue, {}
        for thread, due_s in self._due.copy():
            if due_s > now_s:
                again_s = min(again_s, due_s)
                continue
            was = before.get((thread, due_s))
            if not self._strike(thread, due_s, was):
                again_s = min(again_s, now_s + max(_SOONEST_S, (now_s - due_s) / _PATIENCE))
        return again_s

    def _strike(self, thread: int, due_s: float, was: FrameType | None) -> bool:
        """Have an overdue fetch fail if it has read on since it was in another frame; say whether it did."""
        _import_ctypes()
        with self._striking:
            frame = sys._current_frames().get(thread)  # noqa: SLF001  public, for all its name
            if frame is None or was is None or frame is was or frame.f_code.co_name not in _READING:
                if frame is not None:
                    self._overdue[thread, due_s] = frame
                return False
            with suppress(KeyError):  # it has just ended
                self._due.remove((thread, due_s))
                _throw(thread)
            return True


_here: list[Watchdog] = []


def watchdog() -> Watchdog:
    """Return the one of this process, which is started when it is first asked for."""
    if not _here:
        _here.append(Watchdog())
        _here[0].start()
    return _here[0]


def watchdogs() -> int:
    """Return how many threads look after deadlines in this process: one, or none yet."""
    return len(_here)


os.register_at_fork(after_in_child=_here.clear)  # threads are not inherited


def _import_ctypes() -> None:
    """Import what takes milliseconds before it is needed at once."""
    import ctypes  # noqa: F401


def _throw(thread: int) -> None:
    """Have a thread raise that its fetch is overdue, when it next runs."""
    from ctypes import c_ulong, py_object, pythonapi

    pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread), py_object(OverdueError))
