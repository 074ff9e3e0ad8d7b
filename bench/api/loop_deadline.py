"""Limit the total time of a fetch in an event loop of asyncio. Used by ``Job.async_client``.

It does what ``asyncio.timeout`` does, with one timer for all fetches of a client instead of one for each: all
have the same limit, so the first to begin is the first to be overdue. That takes a tenth of the time.
"""

from asyncio import CancelledError, Task, TimerHandle, current_task, get_running_loop
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


class LoopDeadlines:
    """The fetches in progress in the running event loop, by their tasks, the first to begin first."""

    def __init__(self, timeout_s: float) -> None:
        self._loop = get_running_loop()
        self._timeout_s = timeout_s
        self._due_s: dict[Task[Any], float] = {}
        self._overdue: set[Task[Any]] = set()
        self._timer: TimerHandle | None = None

    async def limit(self, call: Callable[[str], Awaitable[T]], argument: str) -> T:
        """Await a call, and cancel it once it takes longer than the limit.

        Raises:
            TimeoutError: it did.
            RuntimeError: it runs in no task.
        """
        task = current_task()
        if task is None:
            raise RuntimeError("a fetch must be awaited in a task")
        cancelled_before = task.cancelling()
        due_s = self._due_s[task] = self._loop.time() + self._timeout_s
        if self._timer is None:
            self._timer = self._loop.call_at(due_s, self._cancel_overdue)
        try:
            return await call(argument)
        except CancelledError as error:
            if task in self._overdue and task.cancelling() - 1 <= cancelled_before:
                raise TimeoutError from error
            raise
        finally:
            self._due_s.pop(task, None)
            if task in self._overdue:
                self._overdue.remove(task)
                task.uncancel()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _cancel_overdue(self) -> None:
        now_s = self._loop.time()
        self._timer = None
        for task, due_s in [*self._due_s.items()]:
            if due_s > now_s:
                self._timer = self._loop.call_at(due_s, self._cancel_overdue)
                return
            del self._due_s[task]
            self._overdue.add(task)
            task.cancel()
