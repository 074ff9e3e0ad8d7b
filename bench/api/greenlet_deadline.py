"""Limit the total time of a fetch in a greenlet of gevent. Used by ``bench.api.deadline``.

All greenlets share a thread, so what watches threads could not tell whose fetch it ends. gevent can raise
an error in a greenlet, where that waits.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import gevent


class GreenletWatchdog:
    """The fetches in progress in the greenlets of this process, each with a timer of gevent's."""

    def __init__(self, new_error: Callable[[], TimeoutError]) -> None:
        self._new_error = new_error
        self._timers: dict[object, Any] = {}

    @contextmanager
    def expect_fetches(self, _timeout_s: float) -> Iterator[None]:
        """Watch fetches; each timer has its own limit."""
        yield

    def begin(self, due_s: float) -> None:
        """Start the timer of this greenlet's fetch, with a deadline by ``time.perf_counter()``."""
        left_s = max(0.0, due_s - perf_counter())
        self._timers[gevent.getcurrent()] = gevent.Timeout.start_new(left_s, self._new_error())

    def end(self, _due_s: float) -> None:
        """Stop the timer; afterwards the fetch can no longer become overdue."""
        self._timers.pop(gevent.getcurrent()).close()
