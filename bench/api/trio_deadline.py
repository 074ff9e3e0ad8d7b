"""Limit the total time of a fetch on trio. Used by ``Job.async_client``."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from anyio import fail_after

T = TypeVar("T")


class TrioDeadlines:
    """The same as ``LoopDeadlines`` for trio, where each fetch has a scope of its own."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    async def limit(self, call: Callable[[str], Awaitable[T]], argument: str) -> T:
        """Await a call, and cancel it once it takes longer than the limit.

        Raises:
            TimeoutError: it did; anyio raises it, while trio would raise an error of its own.
        """
        with fail_after(self._timeout_s):
            return await call(argument)

    def close(self) -> None:
        """Do nothing: a scope ends with its fetch."""
